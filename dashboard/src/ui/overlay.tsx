"use client";
import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Tooltip } from "@base-ui/react/tooltip";
import clsx from "clsx";
import type { LucideIcon } from "lucide-react";
import { useState, type ReactElement, type ReactNode } from "react";
import { ApiError } from "@/lib/http";
import { Button, buttonClass } from "./button";
import { Field } from "./field";

type Trigger = ReactElement<Record<string, unknown>>;
const BACKDROP =
  "fixed inset-0 z-40 bg-black/50 backdrop-blur-[2px] transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0";
const POPUP =
  "popup fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] -translate-1/2 flex-col overflow-y-auto rounded-2xl border border-line bg-panel p-6 shadow-2xl";

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

export function Menu({
  trigger,
  label,
  entries,
}: {
  trigger: Trigger;
  label: string;
  entries: (Entry | "-")[];
}) {
  return (
    <BaseMenu.Root modal={false}>
      <BaseMenu.Trigger render={trigger} aria-label={label} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner sideOffset={6} align="end" className="z-40">
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

export function Dialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  note?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <Base.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup
          className={clsx(
            POPUP,
            props.wide ? "w-[min(40rem,calc(100vw-2rem))]" : "w-[min(28rem,calc(100vw-2rem))]",
          )}
        >
          <Base.Title className="text-base font-semibold">{props.title}</Base.Title>
          {props.note && (
            <Base.Description className="mt-1 text-muted" render={<div />}>
              {props.note}
            </Base.Description>
          )}
          {props.children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

export const DialogClose = ({ children }: { children: ReactNode }) => (
  <Base.Close className={buttonClass("secondary")}>{children}</Base.Close>
);

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

/** A step back before what cannot be undone; `word` has to be typed. */
export function Confirm(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  word?: string;
  action: string;
  harmless?: boolean;
  onConfirm: () => Promise<unknown>;
}) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const change = (open: boolean) => {
    setTyped("");
    setError(null);
    props.onOpenChange(open);
  };
  const confirm = async () => {
    setBusy(true);
    try {
      await props.onConfirm();
      change(false);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={props.open} onOpenChange={change}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={BACKDROP} />
        <AlertDialog.Popup className={clsx(POPUP, "w-[min(28rem,calc(100vw-2rem))]")}>
          <AlertDialog.Title className="text-base font-semibold">{props.title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 text-muted" render={<div />}>
            {props.children}
          </AlertDialog.Description>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void confirm();
            }}
          >
            {props.word && (
              <Field
                className="mt-4"
                label={`Type ${props.word} to confirm`}
                mono
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                autoComplete="off"
                spellCheck={false}
              />
            )}
            <Problem error={error} />
            <div className="mt-6 flex justify-end gap-2">
              <AlertDialog.Close className={buttonClass("secondary")}>Cancel</AlertDialog.Close>
              <Button
                type="submit"
                variant={props.harmless ? "primary" : "danger"}
                busy={busy}
                disabled={!!props.word && typed !== props.word}
              >
                {props.action}
              </Button>
            </div>
          </form>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
