import { enableCompileCache } from "node:module";
import { listenForStop } from "./runtime/stop-request.ts";

listenForStop(); // whatever takes time comes after it
enableCompileCache(); // before the graph is imported: it saves about a third of the start, and bin/main.js somewhat more
const { run } = await import("./operate/run.ts");
await run(process.argv.slice(2));
