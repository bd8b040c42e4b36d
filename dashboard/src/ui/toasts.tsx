"use client";
import { Toast } from "@base-ui/react/toast";
import { CheckCircle2, CircleDashed, X, XCircle } from "lucide-react";
import { useEffect } from "react";
import type { Tone } from "./toast";

export const manager = Toast.createToastManager();
const icons = { ok: CheckCircle2, bad: XCircle, info: CircleDashed };
const tones = { ok: "text-ok", bad: "text-bad", info: "text-info" };

function List() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((one) => {
    const tone = (one.type ?? "info") as Tone;
    const Icon = icons[tone];
    return (
      <Toast.Root
        key={one.id}
        toast={one}
        className="rounded-xl border border-line bg-panel p-3.5 pr-11 shadow-xl transition-[opacity,translate] duration-200 data-ending-style:translate-x-4 data-ending-style:opacity-0 data-starting-style:translate-y-3 data-starting-style:opacity-0"
      >
        <Toast.Content className="flex gap-2.5">
          <Icon className={`mt-0.5 size-4 shrink-0 ${tones[tone]}`} aria-hidden />
          <div className="min-w-0">
            <Toast.Title className="text-sm font-medium" />
            <Toast.Description className="text-[13px] break-words text-muted" />
          </div>
        </Toast.Content>
        <Toast.Close
          aria-label="Dismiss"
          className="absolute top-1.5 right-1.5 grid size-8 cursor-pointer place-items-center rounded-lg text-muted hover:bg-hover"
        >
          <X className="size-3.5" />
        </Toast.Close>
      </Toast.Root>
    );
  });
}

let ready: () => void;
/** Who is told something before the list stands would never see it. */
export const standing = new Promise<void>((resolve) => (ready = resolve));

export function Toasts() {
  useEffect(() => ready(), []);
  return (
    <Toast.Provider toastManager={manager}>
      <Toast.Portal>
        <Toast.Viewport className="fixed right-4 bottom-18 left-4 z-60 flex flex-col gap-2 sm:left-auto sm:w-88 lg:bottom-4">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
