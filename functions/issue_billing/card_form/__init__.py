"""The hosted card page: a merchant sends the card holder here, so that its own pages never touch a card number.

    visit.py      what the page's address asks for: whose card, which language, where to go afterwards
    words.py      Korean and English
    page.py       puts the page together and answers with it
    page.html     around everything; form.html and outcome.html are what it shows
    page.css, page.js

All of it leaves in one response, and works without JavaScript too. Imported only when a page is asked for.
"""
