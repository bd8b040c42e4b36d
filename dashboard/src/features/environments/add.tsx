"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState, type FormEvent } from "react";
import { keys } from "@/lib/cache";
import { data, http } from "@/lib/http";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Dialog, DialogClose, Problem } from "@/ui/overlay";

const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();

export function AddEnvironment(props: { project: string; refused: string | null }) {
  const { project, refused } = props;
  const [open, setOpen] = useState(false);
  const client = useQueryClient();
  const adding = useMutation({
    mutationFn: (form: FormData) =>
      data(
        http.POST("/projects/{project_id}/environments", {
          params: { path: { project_id: project } },
          body: { name: text(form, "name"), branch: text(form, "branch") || null },
        }),
      ),
    onSuccess: () => {
      setOpen(false);
      return client.invalidateQueries({ queryKey: keys.project(project) });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    adding.mutate(new FormData(event.currentTarget));
  };
  return (
    <>
      <Button size="sm" refused={refused} onClick={() => setOpen(true)}>
        <Plus aria-hidden />
        Add
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Add an environment"
        note="It is empty at first: give it variables, then deploy into it."
      >
        <form onSubmit={submit} className="mt-5 space-y-4">
          <Field
            label="Name"
            name="name"
            required
            mono
            placeholder="staging"
            pattern="[a-z0-9]([a-z0-9\-]{0,30}[a-z0-9])?"
            hint="Small letters, digits and dashes; part of its address."
          />
          <Field label="Branch" name="branch" mono placeholder="the default one" />
          <Problem error={adding.error} />
          <div className="flex justify-end gap-2">
            <DialogClose>Cancel</DialogClose>
            <Button type="submit" variant="primary" busy={adding.isPending}>
              Add
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
