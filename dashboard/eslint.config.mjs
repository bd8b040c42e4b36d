import hooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import ts from "typescript-eslint";

export default defineConfig(
  { ignores: [".next", "out", "built", "src/lib/api.gen.d.ts", "next-env.d.ts"] },
  ts.configs.strict,
  hooks.configs.flat["recommended-latest"],
  {
    rules: {
      "max-lines": ["error", 400],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML'][parent.name.name!='script']",
          message: "What users and programs write is text, never markup.",
        },
      ],
      "@typescript-eslint/no-non-null-assertion": "off",
      "react-hooks/incompatible-library": "off",
    },
  },
);
