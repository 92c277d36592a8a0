// Checked by `tsc` alone: embed.d.ts takes what a shop writes, and refuses what embed.js would not understand.

import { embedCardForm, type CardResult } from "../../embed.js";

const place = document.createElement("div");

const takeAway: () => void = embedCardForm(place, {
  url: "https://api.example/subscription/issue-billing",
  query: { customer_token: "a.b.c", lang: "en" },
  title: "Your card",
  onReady: () => {},
  onResult: ({ status, code, message, request_id, customer_uid, card }: CardResult) => {
    if (status === "success") place.textContent = card?.number ?? customer_uid;
    else place.textContent = `${code}: ${message} ${request_id}`;
  },
});
takeAway();

embedCardForm(place, { url: new URL("https://api.example/") });

// @ts-expect-error: it has to be said where the form is
embedCardForm(place, {});

// @ts-expect-error: there is no such message
embedCardForm(place, { url: "https://api.example/", onCard: () => {} });
