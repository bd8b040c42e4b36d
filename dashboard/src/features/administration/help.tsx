"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "@/lib/cache";
import { http, type Person } from "@/lib/http";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/overlay";

/** What an administrator does for somebody who cannot get in. */
export function Help({ of, own }: { of: Person; own: boolean }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<"unlock" | "factor" | null>(null);
  const close = (open: boolean) => !open && setAsking(null);
  const known = () => client.invalidateQueries({ queryKey: keys.users });
  const whose = { params: { path: { user_id: of.id } } };
  const unlock = async () => {
    await http.POST("/admin/users/{user_id}/unlock", whose);
    await known();
  };
  const reset = async () => {
    await http.POST("/admin/users/{user_id}/reset-totp", whose);
    await known();
  };
  return (
    <div className="flex flex-wrap gap-2">
      {of.locked_until && (
        <Button size="sm" onClick={() => setAsking("unlock")} aria-label={`Unlock ${of.email}`}>
          Unlock
        </Button>
      )}
      {of.second_factor && (
        <Button
          size="sm"
          refused={own ? "Your own is turned off under Settings, Security." : null}
          onClick={() => setAsking("factor")}
          aria-label={`Reset the second factor of ${of.email}`}
        >
          Reset second factor
        </Button>
      )}
      <Confirm
        open={asking === "unlock"}
        onOpenChange={close}
        title={`Unlock ${of.email}?`}
        action="Unlock"
        harmless
        onConfirm={unlock}
      >
        The lock that wrong passwords made is lifted: they may sign in again at once. If somebody
        else guesses, it locks again. The history tells that it was you.
      </Confirm>
      <Confirm
        open={asking === "factor"}
        onOpenChange={close}
        title={`Reset the second factor of ${of.email}?`}
        action="Reset second factor"
        onConfirm={reset}
      >
        From then on the password alone lets them in, until they set up another authenticator; their
        recovery codes are void. Be sure that it is they who ask. The history tells that it was you.
      </Confirm>
    </div>
  );
}
