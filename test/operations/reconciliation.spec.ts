import { expect } from "chai";
import type { BookedOrder } from "../../src/modules/orders/index.ts";
import { type Books, reconcile } from "../../src/operate/commands/reconciliation.ts";

const STATUSES = ["pending", "confirmed", "rejected", "cancelled"] as const;
const STATES = [undefined, "reserved", "rejected", "released", "cancelled"] as const;

type State = (typeof STATES)[number];

/** What may be so once all has been heard: status → how products decided. */
const SOUND: Readonly<Record<BookedOrder["status"], readonly State[]>> = {
  pending: [],
  confirmed: ["reserved"],
  rejected: ["rejected"],
  cancelled: ["released", "cancelled", "rejected"],
};

const UNITS = new Map([["p1", 2]]);

describe("reconciliation", () => {
  for (const status of STATUSES) {
    for (const state of STATES) {
      const isSound = SOUND[status].includes(state);
      const decided = state ?? "not decided";
      it(`${isSound ? "accepts" : "finds"} an order that is ${status} and that products has ${decided}`, async () => {
        const { findings } = await reconcile(decidedBooks(status, state));
        expect(findings.map((line) => line.split(",")[0])).to.deep.equal(isSound ? [] : [`order o1 is ${status}`]);
      });

      it(`does not judge one that is ${status} and ${decided} while an event of it is under way`, async () => {
        const told = await reconcile({ ...decidedBooks(status, state), underWay: new Set(["o1"]) });
        expect(told).to.deep.equal({ findings: [], orders: 1, underWay: 1 });
      });
    }
  }

  const WRONG_UNITS: Readonly<Record<string, ReadonlyMap<string, number>>> = {
    "too many": new Map([["p1", 3]]),
    "too few": new Map([["p1", 1]]),
    none: new Map(),
    "those of another product": new Map([["p2", 2]]),
    "more products than it has lines": new Map([...UNITS, ["p2", 1]]),
  };
  for (const [what, held] of Object.entries(WRONG_UNITS)) {
    it(`finds units held that are ${what}`, async () => {
      const reservations = new Map([["o1", { state: "reserved" as const, held }]]);
      const { findings } = await reconcile(books({ status: "confirmed" }, { reservations }));
      expect(findings).to.have.lengthOf(1);
      expect(findings[0]).to.match(
        /^order o1 is confirmed, but products has it reserved and holds .*; it is for 2 of p1$/,
      );
    });
  }

  it("finds units that an order holds which gave them back", async () => {
    const released = new Map([["o1", { state: "released" as const, held: UNITS }]]);
    expect((await reconcile(books({ status: "cancelled" }, { reservations: released }))).findings).to.deep.equal([
      "order o1 is cancelled, but products has it released and holds 2 of p1; it is for 2 of p1",
    ]);
  });

  it("finds a stock that is not the sum of its ledger", async () => {
    const products = [
      { id: "p1", stock: 5, ledgerSum: 5 },
      { id: "p2", stock: 5, ledgerSum: 7 },
    ];
    expect((await reconcile({ ...books(), stock: { products, reservations: new Map() } })).findings).to.deep.equal([
      "product p2 has a stock of 5, its ledger adds up to 7",
    ]);
  });

  it("finds orders that only products knows", async () => {
    const reservations = new Map([["o2", { state: "reserved" as const, held: UNITS }]]);
    expect((await reconcile({ ...books(), stock: { products: [], reservations } })).findings).to.deep.equal([
      "order o2 is not known to orders, but products has it reserved and holds 2 of p1",
    ]);
  });

  it("finds orders of users that are not there", async () => {
    const { findings } = await reconcile({
      ...books({ status: "rejected" }, { reservations: new Map([["o1", { state: "rejected", held: new Map() }]]) }),
      userIds: new Set(["another"]),
    });
    expect(findings).to.deep.equal(["order o1 is of user u1, whom users does not know"]);
  });

  it("tells of the dead letter that keeps an order as it is", async () => {
    const deadLetters = new Map([["o1", "products"]]);
    expect((await reconcile({ ...books({ status: "pending" }), deadLetters })).findings).to.deep.equal([
      "order o1 is pending, and products will not hear of it again; an event of it is a dead letter of products",
    ]);
  });
});

/** One order, as orders and as products have it; one that is reserved holds its units. */
function decidedBooks(status: BookedOrder["status"], state: State): Books {
  const held: ReadonlyMap<string, number> = state === "reserved" ? UNITS : new Map();
  return books({ status }, { reservations: new Map(state === undefined ? [] : [["o1", { state, held }]]) });
}

function books(order?: Pick<BookedOrder, "status">, stock: Partial<Books["stock"]> = {}): Books {
  return {
    orders: order === undefined ? [] : [{ id: "o1", userId: "u1", units: UNITS, ...order }],
    stock: { products: [], reservations: new Map(), ...stock },
    userIds: new Set(["u1"]),
    underWay: new Set(),
    deadLetters: new Map(),
  };
}
