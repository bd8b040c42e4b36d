"use client";
import { useState } from "react";
import { Code, Door, Email, NewPassword, Other, text } from "@/features/accounts/door";
import { signIn } from "@/features/accounts/queries";
import { ApiError, data, http } from "@/lib/http";
import { useLinkToken } from "@/lib/link";
import { BASE } from "@/lib/route";
import { Button, buttonClass } from "@/ui/button";
import { Field } from "@/ui/field";

type Way = "signed in" | "sign in" | "code" | "register";

const accept = (token: string) => data(http.POST("/invitations/accept", { body: { token } }));

async function enter(way: Way, form: FormData, invitation: string): Promise<void> {
  const email = text(form, "email");
  const password = String(form.get("password"));
  if (way === "register")
    await http.POST("/auth/register", { body: { email, password, invitation } });
  await signIn(email, password, text(form, "code"));
}

/** For those who are signed in, those who are not, and those who have no account yet. */
export function Invitation() {
  const token = useLinkToken();
  const [way, go] = useState<Way>("signed in");
  const submit = async (form: FormData) => {
    try {
      if (way !== "signed in") await enter(way, form, token ?? "");
      const team = await accept(token ?? "");
      return <Joined name={team.name} role={team.role} />;
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "";
      if (way === "signed in" && code === "not_signed_in") return (go("sign in"), null);
      if (code === "second_factor_needed") return (go("code"), null);
      if (code === "invitation_of_another") go("sign in");
      throw error;
    }
  };
  const other = way === "register" ? "sign in" : "register";
  return (
    <Door
      title="Join a team"
      note="With the address that was invited."
      action={way === "register" ? "Make the account and join" : "Join"}
      submit={submit}
      instead={token === "" && <p>This link is not whole. Open it again, to its last letter.</p>}
      foot={
        way === "signed in" ? (
          <Other href="/" answer="Not now" />
        ) : (
          <Button size="sm" onClick={() => go(other)}>
            {other === "register" ? "I have no account yet" : "I have an account"}
          </Button>
        )
      }
    >
      {(error) => way !== "signed in" && <Who way={way} error={error} />}
    </Door>
  );
}

const Who = ({ way, error }: { way: Way; error: ApiError | null }) => (
  <>
    <Email invalid={error?.code === "credentials_invalid" || error?.code === "email_taken"} />
    {way === "register" ? (
      <NewPassword label="Password" name="password" />
    ) : (
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
      />
    )}
    {way === "code" && <Code invalid={error?.code === "second_factor_invalid"} />}
  </>
);

/** A whole new page: what was known without the team is forgotten. */
const Joined = ({ name, role }: { name: string; role: string }) => (
  <>
    <p>
      You are {role} of <span className="font-medium [overflow-wrap:anywhere]">{name}</span> now.
    </p>
    <a href={`${BASE}/`} className={buttonClass("primary", "md", "w-full")}>
      To the projects
    </a>
  </>
);
