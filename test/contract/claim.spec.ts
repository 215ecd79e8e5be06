import { expect } from "chai";
import { claimOf } from "../../src/contract/claim.ts";

describe("a claim", () => {
  const idempotencyKey = "k";

  it("is made only of a key, and of whose it is", () => {
    expect(claimOf("alice", "placeOrder", {})).to.equal(undefined);
    expect(claimOf(undefined, "placeOrder", { idempotencyKey })).to.equal(undefined);
    expect(claimOf("alice", "placeOrder", { idempotencyKey })).to.include({ principal: "alice", key: "k" });
  });

  it("is the same whatever the order of members", () => {
    const one = claimOf("alice", "placeOrder", { a: 1, b: [{ c: 2, d: 3 }], idempotencyKey });
    const two = claimOf("alice", "placeOrder", { idempotencyKey, b: [{ d: 3, c: 2 }], a: 1 });
    expect(one).to.deep.equal(two);
  });

  it("tells requests apart by the operation, the values, their types and the order of lists, and not by the key", () => {
    const requests: [string, Record<string, unknown>][] = [
      ["placeOrder", { a: 1 }],
      ["addProduct", { a: 1 }],
      ["placeOrder", { a: 2 }],
      ["placeOrder", { a: "1" }],
      ["placeOrder", { a: [1, 2] }],
      ["placeOrder", { a: [2, 1] }],
      ["placeOrder", {}],
    ];
    const fingerprints = requests.flatMap(([operation, input]) =>
      ["k", "other"].map((key) => claimOf("alice", operation, { ...input, idempotencyKey: key })?.fingerprint),
    );
    expect(new Set(fingerprints).size).to.equal(requests.length);
  });
});
