"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "@/lib/cache";
import { plural } from "@/lib/format";
import { data, http, type Me, type Totp } from "@/lib/http";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/small";
import { Card, Section, Skeleton } from "@/ui/surface";
import { Code, NewPassword, text } from "./door";
import { Form, OwnPassword } from "./form";
import { useMe } from "./queries";

const word = (form: FormData) => String(form.get("password"));
const both = (form: FormData) => ({ password: word(form), code: text(form, "code") });

export function Password() {
  const client = useQueryClient();
  const save = (form: FormData) =>
    data(
      http.POST("/auth/password", {
        body: { current_password: word(form), new_password: String(form.get("new_password")) },
      }),
    );
  return (
    <Section id="password" title="Password" note="A new one signs you out everywhere else.">
      <Card className="p-5">
        <Form
          action="Change the password"
          save={save}
          onDone={() => void client.invalidateQueries({ queryKey: keys.sessions })}
          said={(made) => made.detail}
        >
          <OwnPassword label="Current password" autoFocus={false} />
          <NewPassword label="New password" name="new_password" />
        </Form>
      </Card>
    </Section>
  );
}

type Step =
  | { at: "rest" | "begin" | "renew" | "off" }
  | { at: "scan"; made: Totp }
  | { at: "codes"; codes: string[] };

export function SecondFactor() {
  const client = useQueryClient();
  const me = useMe().data;
  const [step, go] = useState<Step>({ at: "rest" });
  const know = () => void client.invalidateQueries({ queryKey: keys.me });
  const rest = () => go({ at: "rest" });
  const show = (made: { recovery_codes: string[] }) => {
    go({ at: "codes", codes: made.recovery_codes });
    know();
  };
  return (
    <Section
      id="second-factor"
      title="Second factor"
      note="A code of your phone beside the password, at each sign-in."
    >
      <Card className="p-5">
        {!me && <Skeleton className="h-9 w-full" />}
        {me && step.at === "rest" && <Rest me={me} go={go} />}
        {step.at === "begin" && (
          <Form
            action="Go on"
            save={(form) => data(http.POST("/auth/totp", { body: { password: word(form) } }))}
            onDone={(made) => go({ at: "scan", made })}
            onCancel={rest}
          >
            <OwnPassword />
          </Form>
        )}
        {step.at === "scan" && (
          <Form
            action="Turn on"
            save={(form) =>
              data(http.POST("/auth/totp/confirm", { body: { code: text(form, "code") } }))
            }
            onDone={show}
            onCancel={rest}
          >
            <Secret of={step.made} />
            <Code hint="What the authenticator shows now." />
          </Form>
        )}
        {step.at === "codes" && <Codes codes={step.codes} onDone={rest} />}
        {step.at === "renew" && (
          <Form
            action="Make new recovery codes"
            save={(form) => data(http.POST("/auth/totp/recovery-codes", { body: both(form) }))}
            onDone={show}
            onCancel={rest}
          >
            <OwnPassword />
            <Code autoFocus={false} />
          </Form>
        )}
        {step.at === "off" && (
          <Form
            action="Turn off"
            danger
            save={(form) => data(http.POST("/auth/totp/remove", { body: both(form) }))}
            onDone={() => {
              rest();
              know();
            }}
            onCancel={rest}
          >
            <OwnPassword />
            <Code autoFocus={false} />
          </Form>
        )}
      </Card>
    </Section>
  );
}

function Rest({ me, go }: { me: Me; go: (step: Step) => void }) {
  return (
    <div className="flex flex-wrap items-center gap-3">
      <p className="min-w-0 flex-1 basis-48">
        {me.second_factor
          ? `On. ${plural(me.recovery_codes_left, "recovery code")} left.`
          : "Off. Your password is enough to sign in."}
      </p>
      {me.second_factor ? (
        <>
          <Button onClick={() => go({ at: "renew" })}>New recovery codes…</Button>
          <Button onClick={() => go({ at: "off" })}>Turn off…</Button>
        </>
      ) : (
        <Button onClick={() => go({ at: "begin" })}>Turn on…</Button>
      )}
    </div>
  );
}

const Secret = ({ of }: { of: Totp }) => (
  <div className="sm:col-span-2">
    <p>
      Type this into your authenticator, or{" "}
      <a href={of.uri} className="font-medium text-accent-text underline underline-offset-2">
        open it in one on this device
      </a>
      . It is shown this once.
    </p>
    <Shown text={of.secret} what="secret" />
  </div>
);

/** What is shown once, to be copied. */
export const Shown = ({ text: value, what }: { text: string; what: string }) => (
  <div className="mt-3 flex items-center gap-2 rounded-lg border border-line bg-raised px-3 py-1.5">
    <code className="min-w-0 flex-1 font-mono text-[13px] [overflow-wrap:anywhere]">{value}</code>
    <CopyButton text={value} what={what} />
  </div>
);

const Codes = ({ codes, onDone }: { codes: string[]; onDone: () => void }) => (
  <>
    <p>
      Keep these recovery codes where your phone is not. Each lets you in once, and they are shown
      this once.
    </p>
    <div className="mt-3 flex items-start gap-2 rounded-lg border border-line bg-raised px-3 py-2">
      <ul
        aria-label="Recovery codes"
        className="grid flex-1 gap-x-6 gap-y-1 font-mono text-[13px] sm:grid-cols-2"
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <CopyButton text={codes.join("\n")} what="recovery codes" />
    </div>
    <div className="mt-5 flex justify-end">
      <Button variant="primary" onClick={onDone} autoFocus>
        I kept them
      </Button>
    </div>
  </>
);
