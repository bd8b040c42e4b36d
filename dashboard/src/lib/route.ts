"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useSyncExternalStore } from "react";
import { isDoor } from "./doors";

export const BASE = "/dashboard";

const never = () => () => undefined;

/** True once the page runs in a browser; false while its HTML is exported and hydrated. */
export const useHydrated = () =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );

/**
 * Ids from the address: `useIds("projects", "deployments")` on /projects/7/deployments/9 is
 * ["7", "9"]. The export holds one page for a route, built for the id `_`, so ids are known in the
 * browser only.
 */
export function useIds(...names: string[]): (string | undefined)[] {
  const parts = usePathname().split("/");
  const ready = useHydrated();
  return names.map((name) => {
    const at = parts.indexOf(name);
    const value = ready && at >= 0 ? parts[at + 1] : undefined;
    return value && value !== "_" ? decodeURIComponent(value) : undefined;
  });
}

/** A word of the query string, once there is one. */
export function useQueryWord(name: string): string | null {
  const found = useSearchParams().get(name);
  return useHydrated() ? found : null;
}

/** Only our own pages: the address came from the query string. */
export function ownPage(next: string | null): string {
  const own = next?.startsWith(`${BASE}/`) && !next.includes("//") && !next.includes("\\");
  return own ? next! : BASE;
}

export function toSignIn(): void {
  if (isDoor(location.pathname)) return;
  const next = encodeURIComponent(location.pathname + location.search + location.hash);
  location.assign(`${BASE}/sign-in?next=${next}`);
}
