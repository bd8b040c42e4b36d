const fs = require("node:fs");
const path = require("node:path");
const express = require("express");

const app = express();
const version = fs.readFileSync(path.join(__dirname, "VERSION"), "utf8").trim();
const port = process.env.PORT || 3000;

app.use((request, response, next) => {
  response.on("finish", () => {
    console.log(`${request.method} ${request.path} ${response.statusCode} ${version}`);
  });
  next();
});

app.get("/", (request, response) => {
  response.type("text").send(`Hello from Express ${version}\n`);
});

app.get("/health", (request, response) => {
  response.json({ status: "ok" });
});

const server = app.listen(port, () => console.log(`listening on ${port}`));

process.on("SIGTERM", () => {
  console.log("good-bye");
  server.close(() => process.exit(0));
});
