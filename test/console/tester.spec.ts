import { expect } from "chai";
import { firstEndpoints, furtherEndpoints } from "../../console/src/model/derived-endpoints.ts";
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";

describe("console: the tester", () => {
  const { openapi } = describeAll(publicContracts, "0");
  /** Not in the tester: pages have links, and dead letters have their buttons among the events. */
  const elsewhere = /^POST \/events\/dead-letters\/\{id\}\/(replay|discard)$/;

  it("has a button for every operation of the API that is no page", () => {
    const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { responses }]) => !JSON.stringify(responses).includes('"text/html"'))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    const id = "01890000-0000-7000-8000-000000000000";
    const known = { productId: id, orderId: id, userId: id, idIn: () => id, unique: () => "1" };
    const buttons = [...firstEndpoints, ...furtherEndpoints].map(
      (each) => `${each.method} ${each.path(known).replace(id, "{id}")}`,
    );
    expect(buttons.toSorted()).to.deep.equal(operations.filter((each) => !elsewhere.test(each)).toSorted());
  });
});
