import { expect } from "chai";
import { z } from "zod";
import { isProblem, type Problem } from "../../src/base/problem.ts";
import { defineContract } from "../../src/contract/contract.ts";
import { describeApi } from "../../src/documents/openapi.ts";
import {
  clientRows,
  contextOf,
  createNotes,
  type Notes,
  notes as notesContract,
  serveNotes,
  tokenOf,
} from "../support/clients.ts";

const ada = { id: "ada", role: "customer" } as const;
const admin = { id: "root", role: "admin" } as const;

async function problemOf(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(
    (value) => expect.fail(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!isProblem(error)) throw error;
  return error;
}

for (const row of clientRows) {
  describe(`the contract through ${row.name}`, () => {
    let notes: Notes;
    beforeEach(async () => {
      notes = await row.open();
    });
    afterEach(() => notes.close());

    it("gives the callee a copy of the input, parsed, with its defaults", async () => {
      const tags = ["mine"];
      const added = await notes.client.addNote({ text: "hi", tags }, contextOf(ada));
      expect(tags).to.deep.equal(["mine"]);
      expect(added).to.deep.equal({ id: "n1", text: "hi", tags: ["mine", "touched"] });
      await notes.client.addNote({ text: "hi" }, contextOf(ada));
      expect(notes.seen[1]?.input).to.deep.include({ text: "hi" });
    });

    it("lets nothing undeclared leave", async () => {
      expect(await notes.client.addNote({ text: "hi" }, contextOf(ada))).not.to.have.property("secret");
    });

    it("carries members of every type, in path, query and header", async () => {
      const { client } = notes;
      expect((await client.getNote({ id: "a b ü?", upper: true }, contextOf(null))).text).to.equal("true");
      expect((await client.getNote({ id: "n", times: 7 }, contextOf(null))).text).to.equal("7");
      await client.getNote({ id: "n", wait: 3 }, contextOf(null));
      expect(notes.seen.map(({ input }) => input)).to.deep.equal([
        { id: "a b ü?", upper: true },
        { id: "n", times: 7 },
        { id: "n", wait: 3 },
      ]);
    });

    it("carries what is longer, written for a URL, than a head may be", async () => {
      const id = "ü".repeat(4_000);
      await notes.client.getNote({ id }, contextOf(null));
      expect(notes.seen.map(({ input }) => input)).to.deep.equal([{ id }]);
    });

    it("carries members of the output that travel as headers", async () => {
      const added = await notes.client.addNote({ text: "hi", idempotencyKey: "again" }, contextOf(ada));
      expect(added.replayed).to.equal(true);
    });

    it("reads an answer without content as one without members", async () => {
      const { client } = notes;
      const tag = (id: string) => client.tagNote({ id, tag: "mine" }, contextOf(ada));
      expect(await tag("alone")).to.deep.equal({});
      expect(await Promise.all([tag("a"), tag("b"), tag("c")])).to.deep.equal([{}, {}, {}]);
      expect((await problemOf(tag("missing"))).code).to.equal("not-found");
      expect(notes.seen.map(({ input }) => input)).to.deep.include({ id: "alone", tag: "mine" });
    });

    it("writes with PUT, and removes with DELETE", async () => {
      const { client } = notes;
      const put = await client.putNote({ id: "a b", text: "hi" }, contextOf(ada));
      expect(put).to.deep.equal({ id: "a b", text: "hi", tags: [] });
      const remove = (id: string) => client.removeNote({ id, tags: true, ifMatch: '"x"' }, contextOf(ada));
      expect(await remove("alone")).to.deep.equal({});
      expect(await Promise.all([remove("a"), remove("b")])).to.deep.equal([{}, {}]);
      expect((await problemOf(remove("missing"))).code).to.equal("not-found");
      expect(notes.seen.map(({ input }) => input)).to.deep.include({ id: "alone", tags: true, ifMatch: '"x"' });
      for (const member of ["tags", "extra"]) {
        const problem = await problemOf(client.removeNote({ id: "a", [member]: "no" } as never, contextOf(ada)));
        expect(problem.options.errors?.map((error) => `${error.in} ${error.pointer}`)).to.deep.equal([
          `query /${member}`,
        ]);
      }
    });

    it("refuses unknown and wrong members, telling each and where it was", async () => {
      const input = { text: 5, extra: 1, idempotencyKey: "longer than nine" } as never;
      const problem = await problemOf(notes.client.addNote(input, contextOf(ada)));
      expect(problem.code).to.equal("validation-failed");
      expect(problem.options.errors?.map((error) => `${error.in} ${error.pointer}`)).to.have.members([
        "body /text",
        "body /extra",
        "header /Idempotency-Key",
      ]);
      expect(notes.seen).to.have.length(0);
    });

    it("enforces access at the callee", async () => {
      const { client } = notes;
      expect((await problemOf(client.addNote({ text: "hi" }, contextOf(null)))).code).to.equal("unauthenticated");
      expect((await problemOf(client.dropNotes({}, contextOf(ada)))).code).to.equal("forbidden");
      expect(await client.dropNotes({}, contextOf(admin))).to.deep.equal({ dropped: 0 });
    });

    it("passes declared problems with their details", async () => {
      const problem = await problemOf(notes.client.addNote({ text: "dull" }, contextOf(ada)));
      expect(problem).to.deep.include({ code: "too-dull", status: 422, message: "Write something else." });
      expect(problem.options.extensions).to.deep.equal({ tried: "dull" });
    });

    it("turns everything else into internal, its cause told only inside", async () => {
      for (const text of ["crash", "undeclared"]) {
        const problem = await problemOf(notes.client.addNote({ text }, contextOf(ada)));
        expect(problem.code).to.equal("internal");
        expect(problem.message).not.to.include("secret");
      }
      const broken = await problemOf(notes.client.getNote({ id: "broken" }, contextOf(null)));
      expect(broken.code).to.equal("internal");
      expect(notes.unexpected).to.have.length(3);
    });

    it("keeps the deadline", async () => {
      const problem = await problemOf(notes.client.getNote({ id: "never" }, contextOf(null, 50)));
      expect(problem.code).to.equal("upstream-timeout");
    });

    it("hands principal, request id and trace on, and a deadline that has not grown", async () => {
      const ctx = contextOf(ada);
      const sentAt = performance.now();
      await notes.client.addNote({ text: "hi" }, ctx);
      const underWayMs = performance.now() - sentAt;
      const seen = notes.seen[0]?.ctx;
      expect(seen).to.deep.include({ principal: ada, token: ctx.token, requestId: ctx.requestId });
      expect(seen?.trace.traceId).to.equal(ctx.trace.traceId);
      // What is passed on is the time that is left, in whole milliseconds: the way there is not known to the callee.
      expect(seen?.deadline).to.be.at.most(ctx.deadline + underWayMs + 1);
    });

    it("keeps concurrent calls apart: a slow or failing one harms no other", async () => {
      const finished: string[] = [];
      const call = (id: string, timeoutMs?: number) =>
        notes.client.getNote({ id }, contextOf(null, timeoutMs)).then(
          ({ id }) => finished.push(id),
          (error: Problem) => finished.push(`${id} ${error.code}`),
        );
      const quick = Array.from({ length: 50 }, (_, index) => call(`n${index}`));
      const others = [call("slow"), call("missing"), call("never", 100), call("broken")];
      await Promise.all(quick);
      expect(finished).to.include.members(["n0", "n49"]).and.not.include("slow");
      notes.answerSlow();
      await Promise.all(others);
      expect(finished).to.have.length(54);
      expect(finished).to.include.members(["slow", "missing not-found", "never upstream-timeout", "broken internal"]);
    });
  });
}

describe("the methods PUT and DELETE over HTTP", () => {
  let origin: string;
  let close: () => Promise<void>;
  before(async () => {
    ({ origin, close } = await serveNotes(createNotes().service));
  });
  after(() => close());

  const send = (method: string, path: string, body?: string) =>
    fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${tokenOf(ada)}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body }),
    });

  it("are what a path takes, as far as it takes them", async () => {
    expect((await send("OPTIONS", "/notes/n1")).headers.get("allow")).to.equal("DELETE, GET, HEAD, OPTIONS, PUT");
    const refused = await send("DELETE", "/notes/drop");
    expect([refused.status, refused.headers.get("allow")]).to.deep.equal([405, "OPTIONS, POST"]);
  });

  it("take a body with PUT, as with POST", async () => {
    expect((await send("PUT", "/notes/n1", '{"text":"hi"}')).status).to.equal(200);
    expect((await send("PUT", "/notes/n1")).status).to.equal(400);
  });

  it("take none with DELETE, but the empty object that some clients always send", async () => {
    for (const body of [undefined, "", "{}", " {\n} "])
      expect((await send("DELETE", "/notes/n1", body)).status).to.equal(204);
    expect((await send("DELETE", "/notes/n1?tags=true")).status).to.equal(204);
    for (const body of ["[]", '{"tags":true}', "null", "{"]) {
      expect((await send("DELETE", "/notes/n1", body)).status, body).to.equal(422);
    }
  });

  it("are described with their parameters and their body", () => {
    const { paths } = describeApi([notesContract], { title: "Notes", version: "1" });
    const { put, delete: remove } = paths["/notes/{id}"] ?? {};
    expect(put).to.have.nested.property("requestBody.content.application/json");
    expect(remove).not.to.have.property("requestBody");
    const parameters = remove?.parameters as { name: string; in: string }[];
    expect(parameters.map(({ name, in: where }) => `${where} ${name}`)).to.deep.equal([
      "path id",
      "query tags",
      "header If-Match",
    ]);
  });
});

describe("an operation without content", () => {
  it("answers 204 and no body over HTTP", async () => {
    const { service } = createNotes();
    const { origin, close } = await serveNotes(service);
    const answer = await fetch(`${origin}/notes/n1/tags`, {
      method: "POST",
      headers: { authorization: `Bearer ${tokenOf(ada)}`, "content-type": "application/json" },
      body: JSON.stringify({ tag: "mine" }),
    });
    const body = await answer.text();
    await close();
    expect([answer.status, body, answer.headers.get("content-type")]).to.deep.equal([204, "", null]);
    expect(answer.headers.get("cache-control")).to.equal("no-store");
  });

  it("is described without content", () => {
    const { paths } = describeApi([notesContract], { title: "Notes", version: "1" });
    const responses = paths["/notes/{id}/tags"]?.post?.responses as Record<string, object>;
    expect(responses).to.have.property("204").that.does.not.have.property("content");
  });

  it("cannot be declared with an output", () => {
    const { tagNote } = notesContract.operations;
    const wrong = { ...tagNote, output: z.object({ lost: z.string() }) };
    expect(() => defineContract({ ...notesContract, operations: { tagNote: wrong } })).to.throw("notes.tagNote");
  });
});
