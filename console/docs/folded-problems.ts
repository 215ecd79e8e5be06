import type { Plugin } from "swagger-ui-dist/swagger-ui-es-bundle.js";

/**
 * Folds the answers that are problems: an operation has a dozen, all of one shape, and unfolded they would bury what it
 * answers when it works. One click shows each as Swagger UI has it.
 */
export const foldedProblems: Plugin = {
  wrapComponents: {
    response: (Original, { React }) => {
      const { createElement, Fragment, useState } = React;
      return (props) => {
        const [isOpen, setOpen] = useState(false);
        if (Number(props.code) < 400) return createElement(Original, props);
        const label = props.response.get("description") ?? "";
        const button = createElement(
          "button",
          { type: "button", className: "problem", "aria-expanded": isOpen, onClick: () => setOpen(!isOpen) },
          label,
        );
        const row = createElement(
          "tr",
          { className: "folded" },
          createElement("td", { className: "response-col_status" }, props.code),
          createElement("td", { className: "response-col_description", colSpan: 2 }, button),
        );
        return createElement(Fragment, null, row, isOpen ? createElement(Original, props) : null);
      };
    },
  },
};
