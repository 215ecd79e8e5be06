import { storeRows } from "../store-rows.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("the PostgreSQL engine", () => {
  const postgres = temporaryPostgres();

  beforeEach(() => postgres.begin());
  afterEach(() => postgres.end());

  storeRows("PostgreSQL", (clock) => postgres.open(clock));
});
