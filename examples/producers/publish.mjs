// Publishes one message over a host's socket: node publish.mjs PROJECT QUEUE JSON
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";

const [project, queue, body] = process.argv.slice(2);
const { socket } = JSON.parse(readFileSync(`${project}/.moonq/run/host.json`, "utf8"));
const connection = createConnection(socket);
const lines = createInterface({ input: connection })[Symbol.asyncIterator]();
await lines.next(); // the host says hello
const message = { json: body, headers: { source: "node" }, options: { delay: "100ms" } };
const request = { kind: "publish", id: 1, queue, messages: [message] };
connection.write(`${JSON.stringify(request)}\n`);
const answer = JSON.parse((await lines.next()).value);
connection.end();
const found = answer.kind === "result" ? answer.value.answers[0] : answer;
if (found.error) throw new Error(found.error.message);
console.log(found.id);
