import type { Plugin } from "vite";

/** What a page can carry in itself: a larger style sheet is fetched once and kept. */
const MOST_BYTES = 16 * 1024;

const LINK = /[ \t]*<link rel="stylesheet"[^>]* href="\/(assets\/[^"]+\.css)">/g;

/**
 * Puts small style sheets into the page that links them, so that its HTML alone is enough for a first paint. The gateway
 * allows each in the page's policy by its hash.
 */
export function inlineStyles(): Plugin {
  return {
    name: "inline-styles",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle = {} }) {
        return html.replace(LINK, (link, name: string) => {
          const file = bundle[name];
          if (file?.type !== "asset" || file.source.length > MOST_BYTES) return link;
          delete bundle[name];
          return `    <style>${String(file.source).trim()}</style>`;
        });
      },
    },
  };
}
