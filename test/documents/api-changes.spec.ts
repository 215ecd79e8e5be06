import { expect } from "chai";
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";
import { asyncApiBreaks, isBreakingRelease, openApiBreaks } from "../../tools/api-changes.ts";

type Node = Record<string, unknown>;

/** A change of a document: what stands at the place is given, and changed. */
type Change = readonly [what: string, place: readonly string[], change: (node: Node) => void, told: string];

const { openapi, asyncapi } = describeAll(publicContracts, "1.0.0");
const JSON_BODY = ["requestBody", "content", "application/json", "schema"];
const PLACE = ["paths", "/orders", "post"];
const PLACE_BODY = [...PLACE, ...JSON_BODY];
const ADD = ["paths", "/products", "post"];
const ADD_BODY = [...ADD, ...JSON_BODY, "properties"];
const LIST = ["paths", "/orders", "get", "parameters"];
const NOT_FOUND = ["components", "responses", "not-found", "content", "application/problem+json", "schema"];
const ORDER = ["components", "schemas", "Order"];

const breaking: readonly Change[] = [
  ["a path is gone", ["paths"], without("/orders/{id}/cancel"), "POST /orders/{id}/cancel: is gone"],
  ["an operation is gone", ["paths", "/orders"], without("get"), "GET /orders: is gone"],
  ["an operation has another id", PLACE, set("operationId", "order"), "operationId was "],
  ["a token is needed", ["paths", "/products", "get"], set("security", [{ bearer: [] }]), "needs a token now"],
  ["a parameter is gone", LIST, without("2"), "query status: is not taken any more"],
  ["a parameter is required", [...LIST, "2"], set("required", true), "query status: is required now"],
  [
    "a new parameter is required",
    LIST,
    set("9", { in: "query", name: "new", required: true }),
    "query new: is required",
  ],
  ["a parameter's enum is narrower", [...LIST, "2", "schema"], set("enum", ["pending"]), "query status: enum was "],
  [
    "a body is expected",
    ["paths", "/orders/{id}/cancel", "post"],
    set("requestBody", { required: true }),
    "body: is req",
  ],
  [
    "a media type is not taken",
    [...PLACE, "requestBody", "content"],
    without("application/json"),
    "body: application/",
  ],
  ["a member is not taken", ADD_BODY, without("description"), "body/description: is not taken any more"],
  ["a member is required", [...ADD, ...JSON_BODY], set("required", ["name", "currency"]), "body: required was "],
  [
    "a member has another type",
    [...ADD_BODY, "stock"],
    set("type", "string"),
    'body/stock: type was "integer", is "str',
  ],
  ["a minimum is higher", [...ADD_BODY, "stock"], set("minimum", 1), "body/stock: minimum was 0, is 1"],
  ["a maximum is lower", [...ADD_BODY, "price_cents"], set("maximum", 5), "body/price_cents: maximum was "],
  ["a text has to be shorter", [...ADD_BODY, "name"], set("maxLength", 50), "body/name: maxLength was 100, is 50"],
  ["a pattern is asked for", [...ADD_BODY, "name"], set("pattern", "^[a-z]+$"), "body/name: pattern was not there"],
  ["a format is asked for", [...ADD_BODY, "name"], set("format", "email"), "body/name: format was not there"],
  ["an alternative is gone", [...PLACE_BODY, "oneOf"], without("1"), "body: oneOf has other alternatives"],
  ["fewer items are taken", [...PLACE_BODY, "properties", "items"], set("maxItems", 5), "body/items: maxItems was 50"],
  [
    "a member of an item is required",
    [...PLACE_BODY, "properties", "items", "items"],
    set("required", ["x"]),
    "/items/*",
  ],
  ["a status is gone", [...PLACE, "responses"], without("409"), "409: is not answered any more"],
  ["a success has another status", [...PLACE, "responses"], without("201"), "201: is not answered any more"],
  ["a header is gone", [...PLACE, "responses", "201", "headers"], without("Location"), "201 Location: is not answered"],
  [
    "a member is not answered",
    [...ORDER, "properties"],
    without("total_cents"),
    "/total_cents: is not answered any more",
  ],
  ["a member may be left out", ORDER, set("required", ["id"]), "GET /orders/{id} 200: required was "],
  [
    "a member of an answer may be null",
    [...ORDER, "properties", "total_cents"],
    set("type", ["integer", "null"]),
    "/total_",
  ],
  [
    "an answer's enum is wider",
    [...ORDER, "properties", "status"],
    set("enum", ["pending", "new"]),
    "/status: enum was",
  ],
];

const harmless: readonly Change[] = [
  ["a path is new", ["paths"], set("/new", { post: { operationId: "new", requestBody: { required: true } } }), ""],
  ["an optional parameter is new", LIST, set("9", { in: "query", name: "new", required: false }), ""],
  ["an optional member is new", ADD_BODY, set("colour", { type: "string" }), ""],
  ["a member need not be sent", [...ADD, ...JSON_BODY], set("required", ["name"]), ""],
  ["a bound is wider", [...ADD_BODY, "stock"], set("maximum", 2_000_000_000), ""],
  ["an enum is wider", [...LIST, "2", "schema"], add("enum", "lost"), ""],
  ["an alternative is new", [...PLACE_BODY, "oneOf"], set("2", { required: ["basket"] }), ""],
  ["an answer has one more member", [...ORDER, "properties"], set("note", { type: "string" }), ""],
  ["a status is new", [...PLACE, "responses"], set("418", { description: "teapot" }), ""],
  ["a problem is new", [...NOT_FOUND, "properties", "type"], add("enum", "/problems/lost"), ""],
  ["no token is needed", PLACE, set("security", [{}]), ""],
  ["a summary is other", PLACE, set("summary", "Order"), ""],
];

describe("changes of the API", () => {
  it("are none between a document and itself", () => {
    expect(openApiBreaks(openapi, openapi)).to.deep.equal([]);
    expect(asyncApiBreaks(asyncapi, asyncapi)).to.deep.equal([]);
  });

  for (const [what, place, change, told] of breaking) {
    it(`break clients when ${what}`, () => {
      expect(openApiBreaks(openapi, changed(openapi, place, change)).join("\n")).to.include(told);
    });
  }

  for (const [what, place, change] of harmless) {
    it(`break nobody when ${what}`, () => {
      expect(openApiBreaks(openapi, changed(openapi, place, change))).to.deep.equal([]);
    });
  }

  it("break subscribers when an event, a channel or a member is gone, or a channel moves", () => {
    const breaks = (place: string[], change: (node: Node) => void) =>
      asyncApiBreaks(asyncapi, changed(asyncapi, place, change)).join("\n");
    const data = ["components", "messages", "order.created", "payload", "allOf", "1", "properties", "data"];
    expect(breaks(["channels"], without("orders-redis"))).to.equal("channel orders-redis: is gone");
    expect(breaks(["channels", "orders-redis"], set("address", "o"))).to.include(
      "address was quartet:log:orders, is o",
    );
    expect(breaks(["channels", "orders-memory", "messages"], without("order.created"))).to.include(
      "order.created: is gone",
    );
    expect(breaks([...data, "properties"], without("user_id"))).to.include("/data/user_id: is not answered any more");
    expect(breaks(data, set("required", []))).to.include("/data: required was ");
    expect(breaks([...data, "properties"], set("note", { type: "string" }))).to.equal("");
  });

  it("are meant when the version says so", () => {
    expect(isBreakingRelease("1.4.2", "2.0.0")).to.equal(true);
    expect(isBreakingRelease("0.1.0", "0.2.0")).to.equal(true);
    expect(isBreakingRelease("0.9.0", "1.0.0")).to.equal(true);
    expect(isBreakingRelease("1.4.2", "1.5.0")).to.equal(false);
    expect(isBreakingRelease("0.1.0", "0.1.1")).to.equal(false);
    expect(isBreakingRelease("0.1.0", "0.1.0")).to.equal(false);
    expect(isBreakingRelease("2.0.0", "1.9.0")).to.equal(false);
  });
});

function changed(document: object, place: readonly string[], change: (node: Node) => void): object {
  const copy = structuredClone(document);
  const node = place.reduce<Node | undefined>((each, name) => each?.[name] as Node | undefined, copy as Node);
  if (node === undefined) throw new Error(`there is nothing at ${place.join(" ")}`);
  change(node);
  return copy;
}

function without(name: string): (node: Node) => void {
  return (node) => {
    if (!(name in node)) throw new Error(`there is no ${name}`);
    if (Array.isArray(node)) node.splice(Number(name), 1);
    else delete node[name];
  };
}

function set(name: string, value: unknown): (node: Node) => void {
  return (node) => {
    if (Array.isArray(node) && Number(name) >= node.length) node.push(value);
    else node[name] = value;
  };
}

function add(name: string, value: unknown): (node: Node) => void {
  return (node) => {
    node[name] = [...(node[name] as unknown[]), value];
  };
}
