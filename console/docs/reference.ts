import "swagger-ui-dist/swagger-ui.css";
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "./reference.css";
import { foldedProblems } from "./folded-problems.ts";

/** Shows the API's document in `#docs`. */
export function showReference(): void {
  SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    validatorUrl: null, // it would ask a server elsewhere whether the document is valid
    plugins: [foldedProblems],
  });
}
