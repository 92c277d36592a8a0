// Puts the card door's own card form into your page. Copy this file, and embed.d.ts for its types.

const UNTIL_ITS_HEIGHT_IS_KNOWN = 900; // pixels

/** Gives a function that takes the form away again. */
export function embedCardForm(element, { url, query = {}, title = "카드 등록", onReady, onResult }) {
  const address = new URL(url);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);

  const frame = document.createElement("iframe");
  frame.title = title;
  frame.allow = "autofill"; // a card that the browser has saved
  // No `sandbox`: a form that comes from nowhere (Origin: null) is forbidden to register a card.
  frame.style.cssText = `display: block; width: 100%; height: ${UNTIL_ITS_HEIGHT_IS_KNOWN}px; border: 0`;
  frame.src = address.href;

  function receive({ origin, source, data }) {
    if (origin !== address.origin || source !== frame.contentWindow) return;
    if (data?.type === "card-door:ready") onReady?.();
    if (data?.type === "card-door:height" && data.height > 0) frame.style.height = `${Math.ceil(data.height)}px`;
    if (data?.type === "card-door:result") onResult?.(data);
  }

  window.addEventListener("message", receive);
  element.append(frame);
  return () => {
    window.removeEventListener("message", receive);
    frame.remove();
  };
}
