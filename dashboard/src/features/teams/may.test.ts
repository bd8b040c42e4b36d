import { expect, test } from "vitest";
import type { OwnTeam, Role } from "@/lib/http";
import { refusal, type Deed } from "./may";

const of = (role: Role): OwnTeam => ({ id: "t", name: "Bakers", personal: false, role });
const production = { name: "production", protected: true };
const staging = { name: "staging", protected: false };
const roles: Role[] = ["viewer", "developer", "admin", "owner"];
const mayDo = (deed: Deed, where?: typeof production) =>
  roles.filter((role) => refusal(of(role), deed, where) === null);

test("a viewer looks, a developer acts, and an admin manages", () => {
  expect(mayDo("act", staging)).toEqual(["developer", "admin", "owner"]);
  expect(mayDo("add")).toEqual(["developer", "admin", "owner"]);
  expect(mayDo("manage")).toEqual(["admin", "owner"]);
});

test("where it is protected admins act alone", () => {
  expect(mayDo("act", production)).toEqual(["admin", "owner"]);
});

test("the reason is in words", () => {
  expect(refusal(of("viewer"), "act", production)).toBe(
    "You are viewer of Bakers: developers and admins act on its environments.",
  );
  expect(refusal(of("developer"), "act", production)).toBe(
    "production is protected: you are developer of Bakers, and its admins act there.",
  );
  expect(refusal(of("developer"), "manage")).toBe(
    "You are developer of Bakers: admins change how its projects are set up.",
  );
});
