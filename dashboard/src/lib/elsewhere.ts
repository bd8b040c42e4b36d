/** What this tab went away for, kept until it comes back from the provider. */
export interface Errand {
  state: string;
  /** Adds an account to the one that is signed in, instead of signing in. */
  link: boolean;
  next: string | null;
}

export interface CameBackWith {
  provider: string;
  state: string;
  code: string;
  iss: string | null;
  /** The provider's own word for why not. */
  error: string | null;
}

const KEY = "elsewhere";

export function leave(url: string, errand: Omit<Errand, "state">): void {
  const state = new URL(url).searchParams.get("state") ?? "";
  sessionStorage.setItem(KEY, JSON.stringify({ ...errand, state }));
  location.assign(url);
}

/** The errand of this state; another tab's, or none, is a plain sign-in. */
export function errand(state: string): Errand {
  const plain = { state, link: false, next: null };
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Errand | null;
    return kept?.state === state ? kept : plain;
  } catch {
    return plain;
  }
}

/** A state begins with the name of its provider. */
export function cameBackWith(search: string): CameBackWith {
  const query = new URLSearchParams(search);
  const state = query.get("state") ?? "";
  return {
    provider: state.split(".")[0] ?? "",
    state,
    code: query.get("code") ?? "",
    iss: query.get("iss"),
    error: query.get("error"),
  };
}
