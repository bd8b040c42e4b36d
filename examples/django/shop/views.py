from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render


class Note:
    """Prints a line per request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        line = f"{request.method} {request.path} {response.status_code} {settings.VERSION}"
        print(line, flush=True)
        return response


def index(request) -> HttpResponse:
    return render(request, "shop/index.html", {"version": settings.VERSION})


def health(request) -> JsonResponse:
    return JsonResponse({"status": "ok"})
