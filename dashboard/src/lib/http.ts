import createFetch, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.gen";
import { waiting } from "./format";

type Schemas = components["schemas"];
export type Me = Schemas["Me"];
export type Project = Schemas["ProjectRead"];
export type ProjectNow = Schemas["ProjectNow"];
export type ProjectOverview = Schemas["ProjectOverview"];
export type EnvironmentNow = Schemas["EnvironmentNow"];
export type Environment = Schemas["EnvironmentRead"];
export type Deployment = Schemas["DeploymentRead"];
export type DeploymentDetail = Schemas["DeploymentDetail"];
export type Status = Schemas["Status"];
export type Step = Schemas["StepRead"];
export type Instance = Schemas["InstanceRead"];
export type Release = Schemas["ReleaseRead"];
export type Plan = Schemas["Plan"];
export type Overrides = Schemas["Overrides-Input"];
export type Variable = Schemas["VariableRead"];
export type Traffic = Schemas["TrafficRead"];
export type Session = Schemas["SessionRead"];
export type Token = Schemas["TokenRead"];
export type TokenMade = Schemas["TokenMade"];
export type Scope = Schemas["Scope"];
export type Identity = Schemas["IdentityRead"];
export type Role = Schemas["Role"];
export type OwnTeam = Me["teams"][number];
export type Team = Schemas["TeamDetail"];
export type Member = Schemas["MemberRead"];
export type Invitation = Schemas["InvitationRead"];
export type InvitationMade = Schemas["InvitationMade"];
export type Totp = Schemas["TotpRead"];
export type Hook = Schemas["HookRead"];
export type HookMade = Schemas["HookMade"];
export type Delivery = Schemas["DeliveryRead"];
export type Provider = Schemas["Provider"];
export type Audit = Schemas["AuditRead"];
export type AuditChoice = Schemas["AuditChoice"];
export type Disk = Schemas["ServerDisk"];
export type Person = Schemas["PersonRead"];
export type Limit = Schemas["LimitRead"];

/** What the API refused, in its words: what happened, and what to do. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

declare global {
  interface Window {
    /** Answers that the page's head already asked for; see app/layout.tsx. */
    early?: Map<string, Promise<Response>>;
  }
}

/** The first GET of an address may be on its way already. */
function ask(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const key = pathname + search;
  const asked = request.method === "GET" ? window.early?.get(key) : undefined;
  if (!asked) return fetch(request);
  window.early?.delete(key);
  return asked.catch(() => fetch(request));
}

const problems: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await problem(response);
  },
  onError: () =>
    new ApiError(0, "The server cannot be reached.", "offline", "Check your connection."),
};

export async function problem(response: Response): Promise<ApiError> {
  const body = await response
    .clone()
    .json()
    .catch(() => ({}));
  const told =
    typeof body.detail === "string" ? body.detail : `The server says ${response.status}.`;
  const wait = waiting(Number(response.headers.get("retry-after")));
  // Hints are written for programs too, which read the header.
  const hint = String(body.hint ?? "").replace("as long as Retry-After says", wait);
  return new ApiError(response.status, told, body.code ?? "", hint);
}

export const http = createFetch<paths>({ baseUrl: "/", fetch: ask });
http.use(problems);

/** The answer's body: everything else was thrown by the middleware. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
