"use strict";

// Groups digits while they are typed or pasted, and leaves the caret where the typist has it.

function groupWhileTyping(input, grouped) {
  let digitsShown = "";

  function regroup(event) {
    if (event?.isComposing) return;
    let digits = digitsOf(input.value);
    const beforeCaret = digitsOf(input.value.slice(0, input.selectionStart)).length;
    if (event?.inputType === "deleteContentForward" && digits === digitsShown) {
      // Only a separator went, and it would come back at once: what was meant is the digit behind it.
      digits = digits.slice(0, beforeCaret) + digits.slice(beforeCaret + 1);
    }
    digitsShown = digits;
    if (input.value !== grouped(digits)) {
      input.value = grouped(digits);
      const caret = positionAfter(beforeCaret, input.value);
      input.setSelectionRange(caret, caret);
    }
  }

  input.addEventListener("input", regroup);
  input.addEventListener("compositionend", regroup);
  return regroup;
}

// NFKC, as Korean and Japanese keyboards can give full-width digits.
function digitsOf(text) {
  return text.normalize("NFKC").replace(/[^0-9]/g, "");
}

function positionAfter(digitCount, text) {
  let position = 0;
  for (let left = digitCount; left > 0 && position < text.length; position += 1) {
    if (/[0-9]/.test(text[position])) left -= 1;
  }
  return position;
}

function inGroups(digits, sizes, separator) {
  const groups = [];
  let start = 0;
  for (const size of [...sizes, Infinity]) {
    if (start < digits.length) groups.push(digits.slice(start, start + size));
    start += size;
  }
  return groups.join(separator);
}

const byFours = (digits) => inGroups(digits, [4, 4, 4, 4], " ");
const asExpiry = (digits) => (digits.startsWith("20") ? inGroups(digits, [4], "-") : inGroups(digits, [2], " / "));
const asBusinessNumber = (digits) => inGroups(digits, [3, 2], "-");
const ungrouped = (digits) => digits;
