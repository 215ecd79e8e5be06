import { expect } from "chai";
import { validate, version } from "uuid";
import { requestIdOf } from "../../src/http/request-id.ts";

describe("the request id", () => {
  it("is the client's own where that is sensible", () => {
    for (const id of ["a", "01890a5d-ac96-774b-bcce-b302099a8057", "A.b_c-9", "x".repeat(128)]) {
      expect(requestIdOf(id)).to.equal(id);
    }
  });

  it("is a new UUIDv7 otherwise", () => {
    const strange = [undefined, "", "x".repeat(129), "a b", "a,b", "a\nb", "<script>", "ü", ["a", "b"]];
    const ids = strange.map((header) => requestIdOf(header));
    for (const id of ids) expect(validate(id) && version(id)).to.equal(7);
    expect(new Set(ids).size).to.equal(ids.length);
  });
});
