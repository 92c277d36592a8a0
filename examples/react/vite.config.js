import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // so that the built pages work under any path
  plugins: [react()],
});
