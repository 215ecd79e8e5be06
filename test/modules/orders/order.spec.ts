import { expect } from "chai";
import { isProblem, Problem } from "../../../src/base/problem.ts";
import {
  acknowledgeRelease,
  addUp,
  cancelOrder,
  confirmOrder,
  type Order,
  type Product,
  placeOrder,
  rejectOrder,
} from "../../../src/modules/orders/order.ts";

const then = "2026-01-01T00:00:00.000Z";
const now = "2026-01-02T00:00:00.000Z";
const rejection = { reason: "insufficient-stock", product_id: "pen" } as const;

describe("The state machine of an order", () => {
  const rules = {
    confirm: (order: Order) => confirmOrder(order, now),
    reject: (order: Order) => rejectOrder(order, rejection, now),
    "acknowledge release": acknowledgeRelease,
    cancel: (order: Order) => cancelOrder(order, now),
  };
  const table: Record<keyof typeof rules, Record<Order["status"], string>> = {
    confirm: { pending: "confirmed", confirmed: "same", rejected: "contradiction", cancelled: "same" },
    reject: { pending: "rejected", confirmed: "contradiction", rejected: "same", cancelled: "same" },
    "acknowledge release": {
      pending: "contradiction",
      confirmed: "contradiction",
      rejected: "contradiction",
      cancelled: "same",
    },
    cancel: { pending: "cancelled", confirmed: "cancelled", rejected: "order-not-cancellable", cancelled: "same" },
  };
  for (const [name, outcomes] of Object.entries(table)) {
    for (const [status, expected] of Object.entries(outcomes)) {
      it(`${name}: ${status} → ${expected}`, () => {
        const before = Object.freeze(orderIn(status as Order["status"]));
        expect(attempt(() => rules[name as keyof typeof rules](before), before)).to.deep.equal(
          expected === "same" || !(expected in table.confirm) ? expected : movedTo(expected as Order["status"], before),
        );
      });
    }
  }
});

describe("Placing an order", () => {
  const pen = productOf("pen", { price_cents: 250, stock: 7 });
  const mug = productOf("mug", { price_cents: 1_000 });

  it("freezes names and prices, adds up lines and the total", () => {
    const units = addUp([line("pen", 3), line("mug", 1), line("pen", 4)]);
    expect(placeOrder("o", "u", units, shelf(mug, pen), now)).to.deep.equal({
      id: "o",
      user_id: "u",
      status: "pending",
      items: [
        { product_id: "pen", name: "The pen", quantity: 7, unit_price_cents: 250, line_total_cents: 1_750 },
        { product_id: "mug", name: "The mug", quantity: 1, unit_price_cents: 1_000, line_total_cents: 1_000 },
      ],
      total_cents: 2_750,
      currency: "USD",
      rejection: null,
      created_at: now,
      updated_at: now,
    });
  });

  it("stays exact at the highest total there can be", () => {
    const most = Number.MAX_SAFE_INTEGER; // 6,361 × 69,431 × 20,394,401
    const gold = productOf("gold", { price_cents: most / 69_431, stock: 1_000_000_000 });
    const order = placeOrder("o", "u", new Map([["gold", 69_431]]), shelf(gold), now);
    expect([order.total_cents, order.items[0]?.line_total_cents]).to.deep.equal([most, most]);
  });

  it("is refused, and says why, where its total could not be told exactly: in one line, or in all together", () => {
    const gold = productOf("gold", { price_cents: 1_000_000_000_000, stock: 1_000_000_000 });
    const bars = Array.from({ length: 10 }, (_, n) => ({ ...gold, id: `bar ${n}` }));
    for (const units of [
      addUp(Array.from({ length: 10 }, () => line("gold", 1_000))),
      addUp(bars.map(({ id }) => line(id, 1_000))),
    ]) {
      expect(() => placeOrder("o", "u", units, shelf(gold, ...bars), now))
        .to.throw(Problem)
        .that.nested.include({
          code: "validation-failed",
          "options.errors[0].detail": "must cost 9007199254740991 minor units or less, all together",
        });
    }
  });

  const failures: [string, Product[], [string, number][], string, object | undefined][] = [
    ["a product that is missing", [mug], [["pen", 1]], "product-not-found", { product_id: "pen" }],
    [
      "an inactive product",
      [productOf("pen", { active: false })],
      [["pen", 1]],
      "product-not-found",
      { product_id: "pen" },
    ],
    [
      "two currencies",
      [pen, productOf("map", { currency: "EUR" })],
      [
        ["pen", 1],
        ["map", 1],
      ],
      "mixed-currencies",
      undefined,
    ],
    ["too little stock", [pen], [["pen", 8]], "insufficient-stock", { product_id: "pen", available: 7 }],
    [
      "too little for two lines",
      [pen],
      [
        ["pen", 4],
        ["pen", 4],
      ],
      "insufficient-stock",
      { product_id: "pen", available: 7 },
    ],
  ];
  for (const [what, products, lines, code, extensions] of failures) {
    it(`fails for ${what}: ${code}`, () => {
      const units = addUp(lines.map(([id, quantity]) => line(id, quantity)));
      const failure = attempt(() => placeOrder("o", "u", units, shelf(...products), now));
      expect(failure).to.deep.equal(extensions === undefined ? code : { code, ...extensions });
    });
  }
});

/** What a rule makes of an order; the name of its problem, with what the problem adds; "same" for the very same order. */
function attempt(rule: () => Order | "contradiction", before?: Order): unknown {
  try {
    const outcome = rule();
    return outcome === before ? "same" : outcome;
  } catch (error) {
    if (!isProblem(error)) throw error;
    const { extensions } = error.options;
    return extensions === undefined ? error.code : { code: error.code, ...extensions };
  }
}

function orderIn(status: Order["status"]): Order {
  return { ...placed(), status, rejection: status === "rejected" ? rejection : null };
}

function movedTo(status: Order["status"], before: Order): Order {
  return { ...before, status, rejection: status === "rejected" ? rejection : null, updated_at: now };
}

function placed(): Order {
  const pen = productOf("pen", {});
  return placeOrder("o", "u", addUp([line("pen", 1)]), shelf(pen), then);
}

function line(product_id: string, quantity: number) {
  return { product_id, quantity };
}

function shelf(...products: Product[]): ReadonlyMap<string, Product> {
  return new Map(products.map((product) => [product.id, product]));
}

function productOf(id: string, members: Partial<Product>): Product {
  return {
    id,
    name: `The ${id}`,
    description: "",
    price_cents: 100,
    currency: "USD",
    stock: 10,
    active: true,
    created_at: then,
    updated_at: then,
    ...members,
  };
}
