import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["apps/canvas/vendor/", "node_modules/", ".venv/", "runs/"] },
  js.configs.recommended,
  {
    files: ["apps/canvas/**/*.js"],
    languageOptions: { globals: globals.browser },
    rules: {
      "eqeqeq": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-shadow": "error",
      "no-implicit-globals": "error",
      "object-shorthand": "error",
      "complexity": ["error", 35],
      "max-lines": ["error", 700],
    },
  },
  { files: ["tests/canvas/**/*.js"], languageOptions: { globals: globals.node } },
];
