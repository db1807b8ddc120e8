"""What people of a small building company write, in the three languages of their customers."""

LANGUAGES = {
    "de": {
        "topics": {
            "Rechnung {n}": ["Beiliegend die Rechnung für die Arbeiten der letzten Etappe.", "Zahlbar innert 30 Tagen, ohne Abzug."],
            "Offerte {n}: Büromöbel {place}": ["Gerne offerieren wir Ihnen die Möblierung wie besprochen.", "Die Preise gelten bis Ende Monat."],
            "Protokoll Bausitzung {place}": ["Die Fassade wird eine Woche später gerüstet.", "Der Kran kommt am Montag um sieben Uhr."],
            "Lieferverzögerung Stahlträger {place}": ["Die Träger sind leider erst in Kalenderwoche 34 bei uns.", "Können Sie den Aufbau verschieben?"],
            "Termin Abnahme {place}": ["Passt Ihnen der kommende Donnerstag um zehn Uhr?", "Treffpunkt ist beim Haupteingang."],
            "Mängelliste {place}": ["Im zweiten Obergeschoss schliesst die Tür zum Flur nicht.", "Die Fuge beim Fenster ist zu ergänzen."],
            "Schlüssel für die Baustelle {place}": ["Der Schlüssel liegt ab morgen im Tresor, Code wie gehabt.", "Bitte nach der Arbeit zurücklegen."],
            "Grössere Fenster im Büro {place}?": ["Die Bauherrschaft wünscht im Sitzungszimmer grössere Fenster.", "Was würde das ungefähr kosten?"],
        },
        "places": ["Zürich", "Küsnacht", "Genève", "Emmental", "Schulhaus Küsnacht", "Hürlimann-Areal", "Rüti"],
        "openings": ["Guten Tag {name}", "Liebe Frau, lieber Herr {name}", "Grüezi {name}", "Hallo {name}"],
        "middles": [
            "Besten Dank für Ihre rasche Antwort.", "Wir haben das intern geprüft und sind einverstanden.",
            "Könnten Sie uns die Unterlagen bis Freitag zustellen?", "Ich melde mich, sobald ich mehr weiss.",
            "Das Wetter spielt leider nicht mit, wir rechnen mit zwei Tagen Verzug.", "Die Pläne liegen auf dem Server im Ordner «Ausführung».",
            "Für Rückfragen bin ich bis 17 Uhr erreichbar.", "Bitte beachten Sie, dass wir über die Feiertage geschlossen haben.",
            "Der Betrag stimmt, ich habe ihn zur Zahlung freigegeben.", "Herr Öztürk ist informiert und übernimmt das.",
        ],
        "closings": ["Freundliche Grüsse", "Mit besten Grüssen aus Zürich", "Herzliche Grüsse", "Schönen Abend und bis bald"],
        "wrote": "Am {date:%d.%m.%Y} schrieb {name}:", "answer": "AW: ",
        "newsletter": "Nordlicht Neuigkeiten Nr. {n}: Dämmen, dichten, dauern", "plain": "Unsere Neuigkeiten lesen Sie im HTML-Teil.\n",
        "news": [("Neu: Dämmplatten aus Hanf", "Bis Ende Monat mit 10 % Einführungsrabatt – auch in Übergrössen."),
                 ("Fachtagung in Zürich", "Am Donnerstag zeigen wir, wie man Fugen über Jahrzehnte dicht hält.")],
        "footer": "Nordlicht Baustoffe, Hafenstrasse 4, 4057 Basel.", "leave": "Abmelden",
    },
    "fr": {
        "topics": {
            "Facture {n}": ["Veuillez trouver ci-joint la facture des travaux.", "Payable à trente jours, net."],
            "Devis {n} pour {place}": ["Nous avons le plaisir de vous soumettre notre devis.", "Il comprend la dépose de l’ancienne façade."],
            "Procès-verbal de la séance, {place}": ["Les fenêtres seront posées dès le 12.", "L’échafaudage reste jusqu’à fin août."],
            "Réception de l’ouvrage à {place}": ["Seriez-vous disponible mardi à neuf heures ?", "Nous nous retrouvons à l’entrée principale."],
            "Retard de livraison ({place})": ["Le fournisseur annonce dix jours de retard.", "Pouvons-nous décaler le montage ?"],
            "Clés du chantier de {place}": ["Les clés sont déposées à la réception dès demain.", "Merci de les rendre le soir même."],
        },
        "places": ["Genève", "Neuchâtel", "La Chaux-de-Fonds", "l’Hôtel du Lac", "Évian"],
        "openings": ["Bonjour {name},", "Madame, Monsieur,", "Cher {name},"],
        "middles": [
            "Merci beaucoup pour votre réponse rapide.", "Nous avons vérifié et c’est en ordre de notre côté.",
            "Pourriez-vous nous envoyer les documents d’ici vendredi ?", "Je reviens vers vous dès que possible.",
            "Le temps ne nous aide pas, comptez deux jours de plus.", "À noter que nos bureaux seront fermés pendant les fêtes.",
            "Le montant est exact, je l’ai transmis à la comptabilité.",
        ],
        "closings": ["Meilleures salutations", "Avec nos salutations les meilleures", "Bien à vous", "À bientôt"],
        "wrote": "Le {date:%d.%m.%Y}, {name} a écrit :", "answer": "Re: ",
        "newsletter": "Nordlicht, nouvelles no {n} : isoler, étancher, durer", "plain": "Nos nouvelles se lisent dans la partie HTML.\n",
        "news": [("Nouveauté : panneaux de chanvre", "Jusqu’à la fin du mois, 10 % de rabais de lancement."),
                 ("Journée technique à Genève", "Jeudi, nous montrons comment garder un joint étanche pendant des décennies.")],
        "footer": "Nordlicht Baustoffe, Hafenstrasse 4, 4057 Bâle.", "leave": "Se désabonner",
    },
    "en": {
        "topics": {
            "Invoice {n}": ["Please find attached our invoice for the steel delivered last week.", "Payable within 30 days."],
            "Minutes of our call about {place}": ["Fire doors: the certificate is still missing.", "Next call on Monday at ten."],
            "Offer {n}, façade elements": ["We are pleased to send you our offer for the façade elements.", "Prices in Swiss francs, excluding VAT."],
            "Delivery date for {place}": ["The lorry leaves Rotterdam on Tuesday.", "Could someone sign for it before noon?"],
            "Your visit to {place}": ["We look forward to showing you round the site.", "Helmets and boots are provided."],
        },
        "places": ["the Zürich office", "Geneva", "the school in Küsnacht", "the Emmental bridge"],
        "openings": ["Dear {name},", "Hello {name},", "Good morning {name},"],
        "middles": [
            "Thank you for your quick reply.", "We have checked this and agree.", "Could you send us the papers by Friday?",
            "I’ll come back to you as soon as I know more.", "The weather is against us; please allow two more days.",
            "The amount is correct and has been released for payment.", "Please note that we are closed over the holidays.",
        ],
        "closings": ["Kind regards", "Best wishes", "Yours sincerely", "Many thanks"],
        "wrote": "On {date:%d %B %Y}, {name} wrote:", "answer": "Re: ",
        "newsletter": "Nordlicht news no. {n}: insulate, seal, endure", "plain": "Our news are in the HTML part.\n",
        "news": [("New: hemp insulation boards", "10% introductory discount until the end of the month."),
                 ("Open day in Zürich", "On Thursday we show how to keep a joint tight for decades.")],
        "footer": "Nordlicht Baustoffe, Hafenstrasse 4, 4057 Basel.", "leave": "Unsubscribe",
    },
}  # fmt: skip


def letter(r, language, about, sender, receiver):
    """A whole text; `about` are sentences that have to be in it."""
    words = LANGUAGES[language]
    middles = r.sample(words["middles"], k=r.randint(1, 3))
    paragraphs = [words_of(r.choice(words["openings"]), receiver), " ".join(about), " ".join(middles)]
    house = "\n-- \nMuster & Söhne AG, Hofackerstrasse 12, 8032 Zürich" if r.random() < 0.5 else ""
    return "\n\n".join(one for one in paragraphs if one) + f"\n\n{r.choice(words['closings'])}\n{sender}{house}\n"


def words_of(opening, name):
    return opening.format(name=name.partition(",")[0])
