"""URLs of the pages."""

from django.urls import path

from worldclock import views

urlpatterns = [
    path("", views.page),
    path("now/", views.now),
    path("visits/", views.visits),
    path("visits/async/", views.async_visits),
]
