import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const SHOP = "http://127.0.0.1:3001"; // the local shop of `make run`, which stands in for your server

export default defineConfig({
  base: "./", // so that the built pages work under any path
  plugins: [react()],
  build: { target: "es2022" }, // top-level await
  server: {
    fs: { allow: [".."] }, // card-door.js and embed.js
    proxy: { "/customer": { target: SHOP, rewrite: (path) => `/open${path}` } },
  },
  test: {
    environment: "jsdom",
    globals: true, // so that Testing Library cleans up after each test
    testTimeout: 30_000, // milliseconds, on a machine that does other things too
  },
});
