import { expect } from "chai";
import { isProblem } from "../../src/base/problem.ts";
import { checkRawPath } from "../../src/http/path.ts";

describe("the check of the raw path", () => {
  const fine = [
    "/",
    "/?a=%zz",
    "/users",
    "/users/",
    "/orders/01890a5d-ac96-774b-bcce-b302099a8057/cancel?wait=1",
    "/.well-known/jwks.json",
    "/problems/not-found",
    "/a%20b",
    "/%C3%BC",
    "/a:b@c;d=e,f",
    "/...",
    "/%252e%252e",
    "/users?next=//evil/../x%2f\\",
  ];
  for (const target of fine) {
    it(`lets ${target} pass`, () => expect(codeOf(target)).to.equal(undefined));
  }

  const invalid = [
    "",
    "*",
    "users",
    "?a=b",
    "//evil",
    "//",
    "/users//1",
    "/users//",
    "/.",
    "/..",
    "/../users",
    "/users/../orders",
    "/users/.",
    "/users/./1",
    "/%2e%2e",
    "/%2E./users",
    "/users/.%2e/orders",
    "/users/a%2fb",
    "/users/a%2Fb",
    "/users/a%5cb",
    "/users\\evil",
    "/users/%00",
    "/users/%0d%0aX: y",
    "/users/%7f",
    "/users/%zz",
    "/users/%",
    "/users/%4",
    "/users/%ff",
    "/users/%ed%a0%80",
    "/users/ü",
    "/users/<script>",
    "/users#fragment",
    "/users/a b",
  ];
  for (const target of invalid) {
    it(`refuses "${target}"`, () => expect(codeOf(target)).to.equal("invalid-path"));
  }

  for (const target of ["http://evil/users", "HTTPS://evil", "javascript:alert(1)"]) {
    it(`refuses ${target}, since this is not a proxy`, () => expect(codeOf(target)).to.equal("malformed-request"));
  }

  it("takes no longer for a hostile path than for its length", () => {
    expect(codeOf(`${"/a".repeat(8000)}%`)).to.equal("invalid-path");
    expect(codeOf(`/${"a.".repeat(8000)}\\`)).to.equal("invalid-path");
  });
});

function codeOf(target: string): string | undefined {
  try {
    checkRawPath(target);
    return undefined;
  } catch (error) {
    if (isProblem(error)) return error.code;
    throw error;
  }
}
