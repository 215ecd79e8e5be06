import type { Group } from "./scenario.ts";
import { accounts } from "./scenarios/accounts.ts";
import { catalogue } from "./scenarios/catalogue.ts";
import { competition } from "./scenarios/competition.ts";
import { poison, productsSlow, redisAway, usersUnavailable } from "./scenarios/faults.ts";
import { inputs } from "./scenarios/inputs.ts";
import { LIMITS, limits } from "./scenarios/limits.ts";
import { ordering } from "./scenarios/orders.ts";

/** The scenarios by the settings they need: each group is one start of a shop. */
export const groups: readonly Group[] = [
  {
    name: "no faults",
    settings: {},
    scenarios: [...accounts, ...inputs, ...catalogue, ...ordering, ...redisAway],
  },
  { name: "competition", settings: { FAULTS: "users.getUser=delay:3000" }, scenarios: competition },
  { name: "limits", settings: LIMITS, scenarios: limits },
  { name: "users unavailable", settings: { FAULTS: "users.getUser=unavailable" }, scenarios: usersUnavailable },
  {
    name: "products slow",
    settings: { FAULTS: "products.getProduct=delay:5000", CALL_TIMEOUT: "4000" },
    scenarios: productsSlow,
  },
  { name: "poison", settings: { FAULTS: "products:order.created=poison" }, scenarios: poison },
];
