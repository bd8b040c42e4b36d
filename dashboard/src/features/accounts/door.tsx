"use client";
import Link from "next/link";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { ApiError, http } from "@/lib/http";
import { ownPage } from "@/lib/route";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Logo } from "@/ui/logo";
import { Card } from "@/ui/surface";
import { signIn } from "./queries";

const SHORTEST = 10;
const enter = () => location.assign(ownPage(new URLSearchParams(location.search).get("next")));
const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();

/** What sign-in and register share: a card, a form, and what the API said against it. */
function Door(props: {
  title: string;
  note: string;
  action: string;
  submit: (form: FormData) => Promise<void>;
  children: (error: ApiError | null) => ReactNode;
  foot: ReactNode;
}) {
  const { title } = props;
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${title} · AutoStack`;
  }, [title]);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await props.submit(new FormData(event.currentTarget));
      enter();
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, String(caught), "", ""));
      setBusy(false);
    }
  };
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <Card className="p-7">
          <Logo />
          <h1 className="mt-6 text-lg font-semibold">{title}</h1>
          <p className="mt-1 text-[13px] text-muted">{props.note}</p>
          <form className="mt-5 space-y-4" onSubmit={submit}>
            {props.children(error)}
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
        </Card>
        <p className="mt-4 text-center text-[13px] text-muted">{props.foot}</p>
      </div>
    </main>
  );
}

export function SignIn() {
  return (
    <Door
      title="Sign in"
      note="To the projects on this server."
      action="Sign in"
      submit={(form) => signIn(text(form, "email"), String(form.get("password")))}
      foot={<Other href="/register" question="No account yet?" answer="Make one" />}
    >
      {(error) => (
        <>
          <Email invalid={error?.code === "credentials_invalid"} />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
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
      foot={<Other href="/sign-in" question="You have one already?" answer="Sign in" />}
    >
      {(error) => (
        <>
          <Email invalid={error?.code === "email_taken"} />
          <Field
            label="Password"
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={SHORTEST}
            required
            hint={`At least ${SHORTEST} characters.`}
          />
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

async function register(form: FormData): Promise<void> {
  const email = text(form, "email");
  const password = String(form.get("password"));
  const setup_code = text(form, "setup_code") || null;
  await http.POST("/auth/register", { body: { email, password, setup_code } });
  await signIn(email, password);
}

const Email = ({ invalid }: { invalid?: boolean }) => (
  <Field
    label="E-mail"
    name="email"
    type="email"
    autoComplete="username"
    required
    autoFocus
    aria-invalid={invalid || undefined}
  />
);

const Other = ({ href, question, answer }: { href: string; question: string; answer: string }) => (
  <>
    {question}{" "}
    <Link
      href={href}
      prefetch={false}
      className="font-medium text-accent-text underline underline-offset-2"
    >
      {answer}
    </Link>
  </>
);
