"use client";
import Link from "next/link";
import { useState, type FormEvent, type ReactNode } from "react";
import { ApiError, http } from "@/lib/http";
import { ownPage } from "@/lib/route";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Title } from "@/ui/head";
import { Logo } from "@/ui/logo";
import { Card } from "@/ui/surface";
import { Elsewhere } from "./providers";
import { signIn } from "./queries";

const SHORTEST = 10;
export const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();

/** Leaves this page for the one that was wanted, and so never comes back. */
export function enter(next = new URLSearchParams(location.search).get("next")): Promise<never> {
  location.assign(ownPage(next));
  return new Promise(() => undefined);
}

/**
 * What all doors share: a card, a form, and what the API said against it. What `submit` answers is
 * shown in the form's place; so is `instead`, where there is nothing to fill in.
 */
export function Door(props: {
  title: string;
  note: string;
  action: string;
  submit: (form: FormData) => Promise<ReactNode>;
  children?: (error: ApiError | null) => ReactNode;
  instead?: ReactNode;
  beneath?: ReactNode;
  foot: ReactNode;
}) {
  const { title } = props;
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<ReactNode>(null);
  const shown = said ?? props.instead;
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      setSaid(await props.submit(new FormData(event.currentTarget)));
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, String(caught), "", ""));
    }
    setBusy(false);
  };
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <Title of={`${title} · AutoStack`} />
      <div className="w-full max-w-sm">
        <Card className="p-7">
          <Logo />
          <h1 className="mt-6 text-lg font-semibold">{title}</h1>
          <p className="mt-1 text-[13px] text-muted">{props.note}</p>
          <div role="status" className="mt-5 space-y-4 text-[13px] empty:hidden">
            {shown}
          </div>
          <form className="mt-5 space-y-4" onSubmit={submit} hidden={!!shown}>
            {props.children?.(error)}
            <div role="alert" className="empty:hidden">
              {error && (
                <div className="rounded-lg border border-bad/30 bg-bad-soft px-3 py-2 text-[13px]">
                  <p>{error.message}</p>
                  {error.hint && <p className="text-muted">{error.hint}</p>}
                </div>
              )}
            </div>
            <Button type="submit" variant="primary" busy={busy} className="w-full">
              {props.action}
            </Button>
          </form>
          {props.beneath}
        </Card>
        <div className="mt-4 space-y-1 text-center text-[13px] text-muted">{props.foot}</div>
      </div>
    </main>
  );
}

export function SignIn() {
  const [asksCode, setAsksCode] = useState(false);
  const submit = async (form: FormData) => {
    try {
      await signIn(text(form, "email"), String(form.get("password")), text(form, "code"));
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "second_factor_needed")) throw error;
      setAsksCode(true);
      return null;
    }
    return enter();
  };
  return (
    <Door
      title="Sign in"
      note="To the projects on this server."
      action="Sign in"
      submit={submit}
      beneath={<Elsewhere />}
      foot={
        <>
          <Other href="/register" question="No account yet?" answer="Make one" />
          <Other href="/forgot-password" answer="Forgot your password?" />
        </>
      }
    >
      {(error) => (
        <>
          <Email
            invalid={error?.code === "credentials_invalid"}
            onChange={() => setAsksCode(false)}
          />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
          {asksCode && <Code invalid={error?.code === "second_factor_invalid"} />}
        </>
      )}
    </Door>
  );
}

export function Register() {
  return (
    <Door
      title="Make an account"
      note="The first account of a server becomes its administrator."
      action="Make the account"
      submit={register}
      beneath={<Elsewhere />}
      foot={<Other href="/sign-in" question="You have one already?" answer="Sign in" />}
    >
      {(error) => (
        <>
          <Email invalid={error?.code === "email_taken"} />
          <NewPassword label="Password" name="password" />
          {error?.code.startsWith("setup_code") && (
            <Field
              label="Setup code"
              name="setup_code"
              required
              mono
              autoComplete="one-time-code"
              hint="`autostack up` printed it on the server's console."
            />
          )}
        </>
      )}
    </Door>
  );
}

async function register(form: FormData): Promise<never> {
  const email = text(form, "email");
  const password = String(form.get("password"));
  const setup_code = text(form, "setup_code") || null;
  await http.POST("/auth/register", { body: { email, password, setup_code } });
  await signIn(email, password);
  return enter();
}

export const NewPassword = (props: { label: string; name: string; autoFocus?: boolean }) => (
  <Field
    {...props}
    type="password"
    autoComplete="new-password"
    minLength={SHORTEST}
    required
    hint={`At least ${SHORTEST} characters.`}
  />
);

/** Of the second factor. */
export const Code = (props: { invalid?: boolean; autoFocus?: boolean; hint?: string }) => (
  <Field
    label="Code"
    name="code"
    autoComplete="one-time-code"
    autoCapitalize="none"
    spellCheck={false}
    mono
    required
    autoFocus={props.autoFocus ?? true}
    aria-invalid={props.invalid || undefined}
    hint={props.hint ?? "What your authenticator shows now, or a recovery code. Each is good once."}
  />
);

export const Email = ({ invalid, onChange }: { invalid?: boolean; onChange?: () => void }) => (
  <Field
    label="E-mail"
    name="email"
    type="email"
    autoComplete="username"
    required
    autoFocus
    aria-invalid={invalid || undefined}
    onChange={onChange}
  />
);

export const Other = (props: { href: string; question?: string; answer: string }) => (
  <p>
    {props.question}{" "}
    <Link
      href={props.href}
      prefetch={false}
      className="font-medium text-accent-text underline underline-offset-2"
    >
      {props.answer}
    </Link>
  </p>
);
