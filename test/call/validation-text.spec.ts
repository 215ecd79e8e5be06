import { expect } from "chai";
import { z } from "zod";
import { validationText } from "../../src/call/validation-text.ts";

const schema = z.strictObject({
  name: z.string().min(1).max(5),
  count: z.int().min(1).max(9),
  price: z.number(),
  on: z.boolean(),
  tags: z.array(z.string()).min(2).max(3),
  place: z.object({}),
  kind: z.enum(["a", "b"]),
  id: z.string().regex(/^x/, "must begin with x"),
});

const right = { name: "n", count: 1, price: 1, on: true, tags: ["t", "t"], place: {}, kind: "a", id: "x" };

const FAULTS: readonly (readonly [member: keyof typeof right, value: unknown, told: string])[] = [
  ["name", undefined, "is required"],
  ["name", null, "must be text"],
  ["name", "", "must have at least 1 character"],
  ["name", "longer", "must have at most 5 characters"],
  ["count", "1", "must be a number"],
  ["count", 1.5, "must be a whole number"],
  ["count", 0, "must be at least 1"],
  ["count", 10, "must be at most 9"],
  ["price", [], "must be a number"],
  ["on", "yes", "must be true or false"],
  ["tags", {}, "must be a list"],
  ["tags", [], "must have at least 2 members"],
  ["tags", ["1", "2", "3", "4"], "must have at most 3 members"],
  ["place", 1, "must be an object"],
  ["kind", "c", "must be a or b"],
  ["id", "y", "must begin with x"],
];

describe("the text of a fault", () => {
  for (const [member, value, told] of FAULTS) {
    it(`of ${member} that is ${JSON.stringify(value)}: ${told}`, () => {
      const { error } = schema.safeParse({ ...right, [member]: value }, { error: validationText });
      expect(error?.issues.map(({ message }) => message)).to.deep.equal([told]);
    });
  }
});
