"use client";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Tooltip } from "@base-ui/react/tooltip";
import clsx from "clsx";
import type { LucideIcon } from "lucide-react";
import dynamic from "next/dynamic";
import { useRef, useState, type ReactElement, type ReactNode } from "react";
import { ApiError } from "@/lib/http";

type Trigger = ReactElement<Record<string, unknown>>;
export function Tip({ label, children }: { label: string; children: Trigger }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className="z-60">
          <Tooltip.Popup className="popup max-w-72 rounded-md bg-fg px-2 py-1 text-xs text-bg shadow-lg">
            {label}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export interface Entry {
  label: string;
  icon?: LucideIcon;
  onClick: () => void;
  danger?: boolean;
  disabled?: boolean;
}

/** It opens inside the landmark it belongs to, and not behind the whole page. */
export function Menu({
  trigger,
  label,
  entries,
}: {
  trigger: Trigger;
  label: string;
  entries: (Entry | "-")[];
}) {
  const place = useRef<HTMLSpanElement>(null);
  return (
    <BaseMenu.Root>
      <BaseMenu.Trigger render={trigger} aria-label={label} />
      <span ref={place} className="contents" />
      <BaseMenu.Portal container={place}>
        <BaseMenu.Positioner
          sideOffset={6}
          align="end"
          positionMethod="fixed"
          className="z-40 outline-none"
        >
          <BaseMenu.Popup className="popup min-w-48 rounded-xl border border-line bg-panel p-1 text-sm shadow-xl outline-none">
            {entries.map((entry, index) =>
              entry === "-" ? (
                <BaseMenu.Separator key={index} className="my-1 h-px bg-line" />
              ) : (
                <MenuItem key={entry.label} {...entry} />
              ),
            )}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

function MenuItem({ label, icon: Icon, onClick, danger, disabled }: Entry) {
  return (
    <BaseMenu.Item
      onClick={onClick}
      disabled={disabled}
      className={clsx(
        "flex h-8 cursor-default items-center gap-2 rounded-lg px-2 outline-none select-none data-disabled:opacity-60 data-highlighted:bg-hover",
        danger && "text-bad data-highlighted:bg-bad-soft",
      )}
    >
      {Icon && <Icon className="size-4" aria-hidden />}
      {label}
    </BaseMenu.Item>
  );
}

/** What went wrong inside a dialog stays in it. */
export function Problem({ error }: { error: unknown }) {
  if (!(error instanceof Error)) return null;
  return (
    <div
      role="alert"
      className="mt-4 rounded-lg border border-bad/30 bg-bad-soft px-3 py-2 text-[13px]"
    >
      <p>{error.message}</p>
      {error instanceof ApiError && error.hint && <p className="text-muted">{error.hint}</p>}
    </div>
  );
}

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  note?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

export interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  word?: string;
  action: string;
  harmless?: boolean;
  onConfirm: () => Promise<unknown>;
}

// What opens is loaded once it is asked for, or when the page has nothing else to do; see shell.tsx.
const LazyDialog = dynamic(() => import("./dialogs").then((part) => part.Dialog), { ssr: false });
const LazyConfirm = dynamic(() => import("./dialogs").then((part) => part.Confirm), { ssr: false });

/** Stays once it was open, so that it can close with its transition. */
function useOnceOpen(open: boolean): boolean {
  const [was, setWas] = useState(open);
  if (open && !was) setWas(true);
  return was || open;
}

export const Dialog = (props: DialogProps) =>
  useOnceOpen(props.open) ? <LazyDialog {...props} /> : null;

/** A step back before what cannot be undone; `word` has to be typed. */
export const Confirm = (props: ConfirmProps) =>
  useOnceOpen(props.open) ? <LazyConfirm {...props} /> : null;

/** Inside a dialog only, and so loaded with it. */
export const DialogClose = dynamic(() => import("./dialogs").then((part) => part.DialogClose), {
  ssr: false,
});
