"use client";
import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import clsx from "clsx";
import { useState, type ReactNode } from "react";
import { Button, buttonClass } from "./button";
import { Field } from "./field";
import { Problem, type ConfirmProps, type DialogProps } from "./overlay";

const BACKDROP =
  "fixed inset-0 z-40 bg-black/50 backdrop-blur-[2px] transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0";
const POPUP =
  "popup fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] -translate-1/2 flex-col overflow-y-auto rounded-2xl border border-line bg-panel p-6 shadow-2xl";

export function Dialog(props: DialogProps) {
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

/** A step back before what cannot be undone; `word` has to be typed. */
export function Confirm(props: ConfirmProps) {
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
