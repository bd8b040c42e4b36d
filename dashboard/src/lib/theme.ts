"use client";
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "theme";
const told = new Set<() => void>();

export function current(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function apply(theme: Theme): void {
  if (theme === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  show();
  told.forEach((tell) => tell());
}

function show(): void {
  const theme = current();
  const dark =
    theme === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : theme === "dark";
  document.documentElement.classList.toggle("dark", dark);
}

/** Other tabs and the system may change it too. */
function subscribe(tell: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const changed = () => {
    show();
    tell();
  };
  told.add(tell);
  media.addEventListener("change", changed);
  addEventListener("storage", changed);
  // It may have changed while the page's scripts were on their way.
  show();
  return () => {
    told.delete(tell);
    media.removeEventListener("change", changed);
    removeEventListener("storage", changed);
  };
}

export const useTheme = () => useSyncExternalStore(subscribe, current, () => "system" as Theme);
