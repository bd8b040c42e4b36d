"use client";
import dynamic from "next/dynamic";

export type Tone = "ok" | "bad" | "info";

// Loaded once the page stands: nothing is said before.
const load = () => import("./toasts");
export const Toasts = dynamic(() => load().then((part) => part.Toasts), { ssr: false });

/** For what happens off the screen only; what is visible says so itself. */
export function toast(title: string, tone: Tone = "info", description?: string): void {
  const timeout = tone === "bad" ? 10_000 : 4500;
  // None of high priority: such a one would hide its button from screen readers.
  void load().then(async ({ manager, standing }) => {
    await standing;
    manager.add({ title, description, type: tone, timeout });
  });
}
