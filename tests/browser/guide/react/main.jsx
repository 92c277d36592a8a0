// The published guide's class component, completed only where it has "..." or a slip (`React.Components`).
import axios from "axios";
import React from "react";
import { createRoot } from "react-dom/client";

class CardForm extends React.Component {
  constructor(props) {
    super(props);
    this.state = { cardNumber: "", expiry: "", birth: "", pwd2Digit: "", customer_uid: "CUSTOMER_UID" };
  }

  handleInputChange = (event) => {
    const { value, name } = event.target;
    this.setState({ [name]: value });
  };

  handleFormSubmit = (event) => {
    event.preventDefault();
    const { cardNumber, expiry, birth, pwd2Digit, customer_uid } = this.state;
    axios({
      url: "ISSUE_BILLING_URL",
      method: "post",
      data: { cardNumber, expiry, birth, pwd2Digit, customer_uid },
    }).then((rsp) => {
      document.getElementById("message").textContent = `${rsp.data.status}: ${rsp.data.message}`;
    });
  };

  render() {
    const { cardNumber, expiry, birth, pwd2Digit } = this.state;
    return (
      <form onSubmit={this.handleFormSubmit}>
        <label>
          카드 번호
          <input type="text" name="cardNumber" value={cardNumber} onChange={this.handleInputChange} />
        </label>
        <label>
          카드 유효기간
          <input type="text" name="expiry" value={expiry} onChange={this.handleInputChange} />
        </label>
        <label>
          생년월일
          <input type="text" name="birth" value={birth} onChange={this.handleInputChange} />
        </label>
        <label>
          카드 비밀번호 앞 두자리
          <input type="text" name="pwd2Digit" value={pwd2Digit} onChange={this.handleInputChange} />
        </label>
        <input type="submit" value="결제하기" />
      </form>
    );
  }
}

createRoot(document.getElementById("root")).render(<CardForm />);
