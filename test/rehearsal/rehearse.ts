import { missingForRehearsal, rehearse } from "./enter.ts";

/**
 * Rehearses rollouts, without a cluster: two of each service on PostgreSQL, as `deploy/kubernetes/overlays/scale` has them, under 100 requests a
 * second; all eight are replaced again and again, and no request may fail, or take longer than 2 s.
 *
 *     npm run rehearse
 *     npm run rehearse -- --steps upgrade,restart --rate 50 --before v1.2.0
 *
 * `upgrade`: from the code of another commit (`--before`, by default the one before) to this one, the Job that migrates first. `restart`:
 * one Deployment after the other. `expand`: to a version that has a migration more in each module. `back`: from that to this one.
 * `--patient` is for a machine that does much else: what takes long is waited for.
 */
const missing = missingForRehearsal();
if (missing !== undefined) {
  console.error(`Nothing can be rehearsed here: ${missing}`);
  process.exitCode = 1;
} else {
  const { status } = await rehearse(process.argv.slice(2), { quiet: false });
  process.exitCode = status ?? 1;
}
