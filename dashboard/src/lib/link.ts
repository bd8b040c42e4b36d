"use client";
import { useSyncExternalStore } from "react";

let taken: string | null = null;

/** What a letter's link carries behind `#token=`, or nothing. */
export const tokenIn = (hash: string) => new URLSearchParams(hash.slice(1)).get("token") ?? "";

/** Out of the address bar at once: neither the history nor a look at the screen shall keep it. */
function subscribe(tell: () => void): () => void {
  const take = () => {
    taken = tokenIn(location.hash) || taken || "";
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    tell();
  };
  take();
  addEventListener("hashchange", take);
  return () => removeEventListener("hashchange", take);
}

/** Null until the address was read. */
export const useLinkToken = () =>
  useSyncExternalStore(
    subscribe,
    () => taken,
    () => null,
  );
