import { expect } from "chai";
import { isAsShown, readPage } from "./page.ts";

describe("a page that is followed", () => {
  it("has the steps that its blocks and its text tell, section by section", () => {
    const page = [
      "# Title\n\nNothing to do.\n\n## First\n",
      "```sh\necho 1\n```\n\n```text\n1\n```\n",
      '```ts title="src/a.ts"\nexport {};\n```\n',
      "```diff\n-a\n+b\n```\n\n## Second\n",
      "```sh server\nserve\n```\n\nStop it with Ctrl-C.\n",
    ].join("\n");
    const kinds = readPage(page).map(({ heading, steps }) => [heading, steps.map(({ kind }) => kind)]);
    expect(kinds).to.deep.equal([
      ["First", ["run", "write", "apply"]],
      ["Second", ["serve", "interrupt"]],
    ]);
    expect(readPage(page)[0]?.steps[0]).to.include({ script: "echo 1\n", expected: "1\n" });
  });

  it("has no block that nobody tries", () => {
    expect(() => readPage("## A\n\n```js\n1\n```\n")).to.throw('a block of "js"');
    expect(() => readPage("## A\n\n```text\nprinted by nothing\n```\n")).to.throw('a block of "text"');
    expect(() => readPage("## A\n\n```sh\nendless\n")).to.throw("does not end");
  });

  it("shows what is printed, but for what it leaves open", () => {
    expect(isAsShown("a 12 ms  \n", "a … ms\n")).to.equal(true);
    expect(isAsShown("a\nb\nc\nd", "a\n  …\nd\n…")).to.equal(true);
    expect(isAsShown("a.c", "abc")).to.equal(false);
    expect(isAsShown("abc", "a.c")).to.equal(false);
    expect(isAsShown("a\nb", "a")).to.equal(false);
  });
});
