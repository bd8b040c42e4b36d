"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { keys } from "@/lib/cache";
import { cameBackWith, errand, leave, type CameBackWith } from "@/lib/elsewhere";
import { ApiError, data, http, type Identity } from "@/lib/http";
import { BASE, useHydrated } from "@/lib/route";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Section, Skeleton } from "@/ui/surface";
import { Code, Door, enter, Other, text } from "./door";
import { Form, OwnPassword } from "./form";
import { useProviders } from "./providers";
import { useMe } from "./queries";

const useIdentities = () =>
  useQuery({ queryKey: keys.identities, queryFn: () => data(http.GET("/auth/identities")) });

/** Where providers send browsers back to: it finishes by itself, or asks for the second factor. */
export function CameBack() {
  const ready = useHydrated();
  const begun = useRef(false);
  const [back, setBack] = useState<CameBackWith | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (!ready || begun.current) return;
    begun.current = true;
    const found = cameBackWith(location.search);
    // Out of the address bar and the history at once.
    history.replaceState(null, "", location.pathname);
    finish(found, null).catch((caught: unknown) => {
      setBack(found);
      setError(caught instanceof ApiError ? caught : new ApiError(0, String(caught), "", ""));
    });
  }, [ready]);
  const asks = !!error?.code.startsWith("second_factor");
  return (
    <Door
      title="Signing in"
      note={asks ? "This account has a second factor." : "With what you chose elsewhere."}
      action="Sign in"
      submit={(form) => finish(back!, text(form, "code"))}
      instead={!asks && <Told error={error} />}
      foot={<Other href="/sign-in" answer="Sign in another way" />}
    >
      {() => asks && <Code />}
    </Door>
  );
}

function Told({ error }: { error: ApiError | null }) {
  if (!error) return <p>One moment …</p>;
  return (
    <div role="alert" className="rounded-lg border border-bad/30 bg-bad-soft px-3 py-2">
      <p>{error.message}</p>
      {error.hint && <p className="text-muted">{error.hint}</p>}
    </div>
  );
}

async function finish(back: CameBackWith, second_factor: string | null): Promise<never> {
  const { provider, state, code, iss, error } = back;
  if (error || !state) {
    const why = error === "access_denied" ? "You said no there." : `It answered: ${error ?? "-"}.`;
    throw new ApiError(0, "You are not signed in.", "", why);
  }
  const { link, next } = errand(state);
  const params = { path: { provider } };
  const body = { code, state, iss, second_factor };
  if (!link) {
    await http.POST("/auth/oauth/{provider}/session", { params, body });
    return enter(next);
  }
  await http.POST("/auth/identities/{provider}/confirm", { params, body });
  return enter(`${BASE}/settings#linked`);
}

export function Linked() {
  const providers = useProviders();
  const rows = useIdentities().data?.items;
  const [adding, setAdding] = useState<string | null>(null);
  if (!providers?.length && !rows?.length) return null;
  const name = (key: string) => providers?.find((one) => one.provider === key)?.name ?? key;
  return (
    <Section id="linked" title="Linked accounts" note="Accounts elsewhere that sign you in here.">
      <Card className="divide-y divide-line">
        {!rows && <Skeleton className="m-5 h-9" />}
        {rows?.map((row) => (
          <Row key={row.id} of={row} name={name(row.provider)} />
        ))}
        {adding ? (
          <Link provider={adding} name={name(adding)} onCancel={() => setAdding(null)} />
        ) : (
          <div className="flex flex-wrap gap-2 px-5 py-4 empty:hidden">
            {providers?.map((one) => (
              <Button key={one.provider} size="sm" onClick={() => setAdding(one.provider)}>
                Link {one.name}…
              </Button>
            ))}
          </div>
        )}
      </Card>
    </Section>
  );
}

function Row({ of, name }: { of: Identity; name: string }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const unlink = async () => {
    const params = { path: { identity_id: of.id } };
    await http.DELETE("/auth/identities/{identity_id}", { params });
    await client.invalidateQueries({ queryKey: keys.identities });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium">{name}</p>
        <p className="text-xs text-muted [overflow-wrap:anywhere]">
          {of.email && `${of.email} · `}used <When at={of.used_at} />
        </p>
      </div>
      <Button size="sm" onClick={() => setAsking(true)} aria-label={`Unlink ${name}`}>
        Unlink
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Unlink ${name}?`}
        action="Unlink"
        onConfirm={unlink}
      >
        It signs you in here no more.
      </Confirm>
    </div>
  );
}

function Link(props: { provider: string; name: string; onCancel: () => void }) {
  const me = useMe().data;
  const save = (form: FormData) =>
    data(
      http.POST("/auth/identities/{provider}", {
        params: { path: { provider: props.provider } },
        body: { password: String(form.get("password")), code: text(form, "code") || null },
      }),
    );
  return (
    <div className="p-5">
      <Form
        action={`Go to ${props.name}`}
        save={save}
        onDone={({ url }) => leave(url, { link: true, next: null })}
        onCancel={props.onCancel}
      >
        <OwnPassword />
        {me?.second_factor && <Code autoFocus={false} />}
      </Form>
    </div>
  );
}
