"use client";
import { BookOpen } from "lucide-react";
import { useHydrated } from "@/lib/route";
import { buttonClass } from "@/ui/button";
import { CopyButton } from "@/ui/small";
import { Card, Facts, Section } from "@/ui/surface";
import { version } from "../../../package.json";

export function About() {
  const server = useHydrated() ? location.origin : "";
  const command = `autostack login --server ${server}`;
  return (
    <Section
      id="about"
      title="About this server"
      note="For the command, and for programs that speak to the API."
      action={
        <a className={buttonClass()} href="/docs">
          <BookOpen aria-hidden />
          API reference
        </a>
      }
    >
      <Card className="p-5">
        <Facts
          rows={[
            ["AutoStack", version],
            ["Address", server],
            [
              "Sign in from a terminal",
              <span key="c" className="inline-flex max-w-full items-center gap-1">
                <code className="truncate font-mono">{command}</code>
                <CopyButton text={command} what="the command" />
              </span>,
            ],
            [
              "Description of the API",
              <a
                key="o"
                href="/openapi.json"
                className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
              >
                openapi.json
              </a>,
            ],
            ["Licence", "Apache 2.0"],
          ]}
        />
      </Card>
    </Section>
  );
}
