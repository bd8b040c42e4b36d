"use client";
import Link from "next/link";
import type { ReactNode } from "react";
import { data, http } from "@/lib/http";
import { useLinkToken } from "@/lib/link";
import { buttonClass } from "@/ui/button";
import { Door, Email, NewPassword, Other, text } from "./door";

const back = <Other href="/sign-in" question="You know it again?" answer="Sign in" />;
const again = (
  <Other href="/forgot-password" question="The link is too old?" answer="Get a new one" />
);

const Done = ({ children }: { children: ReactNode }) => (
  <>
    <p>{children}</p>
    <Link href="/sign-in" prefetch={false} className={buttonClass("primary", "md", "w-full")}>
      Sign in
    </Link>
  </>
);

/** The same is said whether there is such an account or not. */
export function ForgotPassword() {
  const submit = async (form: FormData) => {
    const body = { email: text(form, "email") };
    const answer = await data(http.POST("/auth/password/reset", { body }));
    return <p>{answer.detail} Its link is good once, for an hour.</p>;
  };
  return (
    <Door
      title="Forgot your password?"
      note="A letter brings you a link that sets a new one."
      action="Send the letter"
      submit={submit}
      foot={back}
    >
      {() => <Email />}
    </Door>
  );
}

export function ResetPassword() {
  const token = useLinkToken();
  const submit = async (form: FormData) => {
    const body = { token: token ?? "", new_password: String(form.get("new_password")) };
    const answer = await data(http.POST("/auth/password/reset/confirm", { body }));
    return <Done>{answer.detail}</Done>;
  };
  return (
    <Door
      title="Set a new password"
      note="You are signed out everywhere then."
      action="Set the password"
      submit={submit}
      instead={token === "" && <NoToken />}
      foot={again}
    >
      {() => <NewPassword label="New password" name="new_password" autoFocus />}
    </Door>
  );
}

export function ConfirmEmail() {
  const token = useLinkToken();
  const submit = async () => {
    const user = await data(http.POST("/auth/email/confirm", { body: { token: token ?? "" } }));
    return <Done>{user.email} is the address of your account now.</Done>;
  };
  return (
    <Door
      title="Confirm your address"
      note="You sign in with it from then on."
      action="Confirm"
      submit={submit}
      instead={token === "" && <NoToken />}
      foot={<Other href="/sign-in" answer="Sign in" />}
    />
  );
}

const NoToken = () => (
  <p>This link is not whole. Open it from the letter again, to its last letter.</p>
);
