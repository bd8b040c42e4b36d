import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const version = readFileSync(new URL("VERSION", import.meta.url), "utf8").trim();
const port = process.env.PORT ?? 3000;

const server = createServer((request, response) => {
  const path = request.url.split("?")[0];
  const body = { "/": `Hello from Node ${version}\n`, "/health": '{"status": "ok"}\n' }[path];
  response.writeHead(body ? 200 : 404, { "content-type": "text/plain" });
  response.end(body ?? "not found\n");
  console.log(`${request.method} ${path} ${response.statusCode} ${version}`);
});

server.listen(port, () => console.log(`listening on ${port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
