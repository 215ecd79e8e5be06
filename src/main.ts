import { enableCompileCache } from "node:module";

enableCompileCache(); // before the graph is imported: it saves about a third of the start
const { run } = await import("./runtime/run.ts");
await run(process.argv.slice(2));
