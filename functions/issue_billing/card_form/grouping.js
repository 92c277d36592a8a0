"use strict";

// Groups digits while they are typed or pasted, and leaves the caret where the typist has it.
// What is longer than the field takes is refused as a whole: a part of it would be another number.

function groupWhileTyping(input, { grouped, longest, read = digitsOf, refuse }) {
  let digitsShown = "";

  function regroup(event) {
    if (event?.isComposing) return;
    let digits = read(input.value);
    let beforeCaret = read(input.value.slice(0, input.selectionStart)).length;
    if (event?.inputType === "deleteContentForward" && digits === digitsShown) {
      // Only a separator went, and it would come back at once: what was meant is the digit behind it.
      digits = digits.slice(0, beforeCaret) + digits.slice(beforeCaret + 1);
    }
    if (digits.length > longest(digits)) {
      if (!isOneKey(event)) refuse();
      beforeCaret = Math.max(0, beforeCaret - (digits.length - digitsShown.length));
      digits = digitsShown;
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
}

// A field of a few digits. What a password manager puts there is refused: no two digits are picked out of it.
function takeDigitsAlone(input, longest, refuse) {
  let shown = "";

  function take(event) {
    if (event?.isComposing) return;
    const text = input.value.normalize("NFKC");
    const takes = /^[0-9]*$/.test(text) && text.length <= longest;
    if (!takes && !isOneKey(event)) refuse();
    if (takes) shown = text;
    if (input.value !== shown) input.value = shown;
  }

  input.addEventListener("input", take);
  input.addEventListener("compositionend", take);
}

function isOneKey(event) {
  return event?.inputType === "insertText" && event.data?.length === 1;
}

// NFKC, as Korean and Japanese keyboards can give full-width digits.
function digitsOf(text) {
  return text.normalize("NFKC").replace(/[^0-9]/g, "");
}

// 1/29 is January.
function digitsOfExpiry(text) {
  return digitsOf(text.normalize("NFKC").replace(/^\s*([1-9])\s*([/.-])/, "0$1$2"));
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
const longestExpiry = (digits) => (digits.startsWith("20") || digits.slice(2, 4) === "20" ? 6 : 4);
const asBusinessNumber = (digits) => inGroups(digits, [3, 2], "-");
const ungrouped = (digits) => digits;
