"use client";
import { useMutation } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Problem } from "@/ui/overlay";

/** A small form: fields, what the API said against it, and what to do. It forgets what was typed. */
export function Form<T>(props: {
  action: string;
  danger?: boolean;
  save: (form: FormData) => Promise<T>;
  onDone: (made: T) => void;
  onCancel?: () => void;
  said?: (made: T) => string;
  children: ReactNode;
}) {
  const saving = useMutation({ mutationFn: props.save, onSuccess: props.onDone, gcTime: 0 });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    saving.mutate(new FormData(form), { onSuccess: () => form.reset() });
  };
  return (
    <form onSubmit={submit} onChange={() => saving.isSuccess && saving.reset()}>
      <div className="grid gap-4 sm:grid-cols-2">{props.children}</div>
      <Problem error={saving.error} />
      <div className="mt-5 flex flex-wrap items-center justify-end gap-3">
        <span role="status" className="text-[13px] text-ok">
          {saving.isSuccess && props.said?.(saving.data)}
        </span>
        {props.onCancel && <Button onClick={props.onCancel}>Cancel</Button>}
        <Button type="submit" variant={props.danger ? "danger" : "primary"} busy={saving.isPending}>
          {props.action}
        </Button>
      </div>
    </form>
  );
}

/** The one you sign in with: a proof that it is still you. */
export const OwnPassword = ({ label = "Password", autoFocus = true }) => (
  <Field
    label={label}
    name="password"
    type="password"
    autoComplete="current-password"
    required
    autoFocus={autoFocus}
  />
);
