"use client";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { isCommand, KEYS, OPEN } from "./open";

// Not needed before somebody asks for them.
const Palette = dynamic(() => import("./palette").then((part) => part.Palette), { ssr: false });
const Keys = dynamic(() => import("./palette").then((part) => part.Keys), { ssr: false });

const GO: Record<string, string> = {
  p: "/",
  d: "/deployments",
  a: "/activity",
  s: "/settings",
  n: "/projects/new",
};

export function Commands() {
  const [open, setOpen] = useState(false);
  const [keys, setKeys] = useState(false);
  useShortcuts(setOpen, setKeys);
  return (
    <>
      {open && <Palette onClose={() => setOpen(false)} />}
      {keys && <Keys onClose={() => setKeys(false)} />}
    </>
  );
}

function useShortcuts(setOpen: (open: boolean) => void, setKeys: (open: boolean) => void) {
  const router = useRouter();
  useEffect(() => {
    let went = 0;
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setOpen(true);
      }
      if (!isCommand(event)) return;
      if (event.key === "?") setKeys(true);
      const page = GO[event.key];
      if (page && Date.now() - went < 1200) router.push(page);
      went = event.key === "g" ? Date.now() : 0;
    };
    const palette = () => setOpen(true);
    const list = () => setKeys(true);
    addEventListener("keydown", pressed);
    addEventListener(OPEN, palette);
    addEventListener(KEYS, list);
    return () => {
      removeEventListener("keydown", pressed);
      removeEventListener(OPEN, palette);
      removeEventListener(KEYS, list);
    };
  }, [router, setOpen, setKeys]);
}
